// The trust store of the Java that is first on the PATH. Linux distributions make it of the system's: then that one
// brings the CA in, but on Debian doesn't take it out again.

import { dirname, join } from 'node:path';
import type { Machine } from '../machine.js';
import { asRoot, type FindStores } from '../store.js';

/** Everybody's password for this file, which protects nothing. */
const PASSWORD = ['-storepass', 'changeit'] as const;
const PLACES = ['lib/security/cacerts', 'jre/lib/security/cacerts'];
/** What makes Debian's file of the system's certificates, and where Fedora's comes from altogether. */
const DEBIAN_HOOK = '/etc/ca-certificates/update.d/jks-keystore';
const FEDORA_FOLDER = '/etc/pki/';

export const javaStores: FindStores = async (ca, machine) => {
  const keytool = await machine.find('keytool');
  const file = keytool && (await storeOf(keytool, machine));
  if (!keytool || !file || file.startsWith(FEDORA_FOLDER)) return [];
  const follows = file.startsWith('/etc/') && (await machine.exists(DEBIAN_HOOK));
  const alias = follows ? `debian:nws-${ca.id}.pem` : `nws-${ca.id}`;
  const entry = ['-alias', alias, '-keystore', file, ...PASSWORD] as const;
  const add = asRoot(machine, keytool, '-importcert', '-noprompt', ...entry, '-file', ca.path);
  return [
    {
      name: file,
      usedBy: follows ? "Java, which gets it from the system's" : 'Java',
      install: follows ? [] : [add],
      uninstall: [asRoot(machine, keytool, '-delete', ...entry)],
      isTrusting: () => machine.asks([keytool, '-list', ...entry]),
    },
  ];
};

async function storeOf(
  keytool: string,
  { realPath, exists }: Machine,
): Promise<string | undefined> {
  const home = dirname(dirname(await realPath(keytool)));
  for (const place of PLACES.map((path) => join(home, path))) {
    if (await exists(place)) return realPath(place);
  }
  return undefined;
}
