// The system's stores on Linux: a folder for certificates of one's own, and a program that makes bundles of it.

import { asRoot, bodyOf, type FindStores } from '../store.js';

interface Layout {
  readonly name: string;
  readonly folder: string;
  readonly ending: string;
  readonly update: string;
  /** For taking a certificate out: without it Debian's leaves links that lead nowhere. */
  readonly fresh: readonly string[];
  /** What the program makes of it, read by curl and the like. */
  readonly bundle: string;
}

const USED_BY = 'curl, wget, git, Python, Go and others';

const LAYOUTS: readonly Layout[] = [
  {
    name: 'Debian, Ubuntu, Alpine',
    folder: '/usr/local/share/ca-certificates',
    ending: 'crt',
    update: 'update-ca-certificates',
    fresh: ['--fresh'],
    bundle: '/etc/ssl/certs/ca-certificates.crt',
  },
  {
    name: 'Fedora, RHEL',
    folder: '/etc/pki/ca-trust/source/anchors',
    ending: 'pem',
    update: 'update-ca-trust',
    fresh: [],
    bundle: '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  },
  {
    name: 'Arch',
    folder: '/etc/ca-certificates/trust-source/anchors',
    ending: 'pem',
    update: 'update-ca-trust',
    fresh: [],
    bundle: '/etc/ca-certificates/extracted/tls-ca-bundle.pem',
  },
  {
    name: 'openSUSE',
    folder: '/etc/pki/trust/anchors',
    ending: 'pem',
    update: 'update-ca-certificates',
    fresh: ['--fresh'],
    bundle: '/etc/ssl/ca-bundle.pem',
  },
];

export const systemStores: FindStores = async (ca, machine) => {
  if (machine.platform !== 'linux') return [];
  for (const { name, folder, ending, update, fresh, bundle } of LAYOUTS) {
    const program = await machine.find(update);
    if (program === undefined || !(await machine.exists(folder))) continue;
    const file = `${folder}/nws-${ca.id}.${ending}`;
    return [
      {
        name: `the system's store (${name})`,
        usedBy: USED_BY,
        install: [asRoot(machine, 'install', '-m', '644', ca.path, file), asRoot(machine, program)],
        uninstall: [asRoot(machine, 'rm', '-f', file), asRoot(machine, program, ...fresh)],
        async isTrusting() {
          const text = (await machine.read(bundle)) ?? '';
          return text.replace(/\s/g, '').includes(bodyOf(ca.pem));
        },
      },
    ];
  }
  return [];
};
