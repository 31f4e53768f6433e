// The databases of NSS: Chromium's, one a user, and Firefox's, one a profile. They are changed by certutil.

import { join } from 'node:path';
import type { Machine } from '../machine.js';
import type { FindStores, TrustStore } from '../store.js';

/** Folders below the user's home that may hold a database, by packaging. */
const CHROMIUM = [
  '.pki/nssdb',
  '.local/share/pki/nssdb',
  'snap/chromium/current/.pki/nssdb',
  '.var/app/org.chromium.Chromium/data/pki/nssdb',
];
const CHROMIUM_PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
/** Folders with Firefox profiles. */
const FIREFOX = [
  '.mozilla/firefox',
  '.config/mozilla/firefox',
  'snap/firefox/common/.mozilla/firefox',
  '.var/app/org.mozilla.firefox/.mozilla/firefox',
  'Library/Application Support/Firefox/Profiles',
];
const MISSING = 'certutil (Debian: libnss3-tools, Fedora: nss-tools, macOS: brew install nss)';
/** To be trusted as a CA of web servers, and for nothing else. */
const TRUST = 'C,,';

interface Database {
  readonly folder: string;
  readonly usedBy: string;
  readonly isNew: boolean;
}

export const nssStores: FindStores = async (ca, machine) => {
  const certutil = await machine.find('certutil');
  const databases = [...(await chromium(machine)), ...(await firefox(machine))];
  return databases.map(({ folder, usedBy, isNew }): TrustStore => {
    const program = certutil ?? 'certutil';
    const database = ['-d', `sql:${folder}`] as const;
    const make = [
      ['mkdir', '-p', '-m', '700', folder],
      [program, '-N', '--empty-password', ...database],
    ] as const;
    return {
      name: folder,
      usedBy,
      ...(certutil === undefined && { missing: MISSING }),
      install: [
        ...(isNew ? make : []),
        [program, '-A', ...database, '-t', TRUST, '-n', ca.label, '-i', ca.path],
      ],
      uninstall: [[program, '-D', ...database, '-n', ca.label]],
      isTrusting: async () =>
        certutil !== undefined && machine.asks([program, '-L', ...database, '-n', ca.label]),
    };
  });
};

/** Where Chromium is installed and was never started, the database that it will look for. */
async function chromium({ userHome, find, exists, platform }: Machine): Promise<Database[]> {
  if (platform !== 'linux') return [];
  const found: Database[] = [];
  for (const folder of CHROMIUM.map((path) => join(userHome, path))) {
    const isThere = await exists(join(folder, 'cert9.db'));
    if (isThere) found.push({ folder, usedBy: 'Chromium and Chrome', isNew: false });
  }
  if (found.length > 0) return found;
  const programs = await Promise.all(CHROMIUM_PROGRAMS.map(find));
  if (programs.every((program) => program === undefined)) return [];
  return [{ folder: join(userHome, CHROMIUM[0]!), usedBy: 'Chromium and Chrome', isNew: true }];
}

async function firefox({ userHome, list, exists }: Machine): Promise<Database[]> {
  const found: Database[] = [];
  for (const profiles of FIREFOX.map((path) => join(userHome, path))) {
    for (const name of await list(profiles)) {
      const folder = join(profiles, name);
      const isThere = await exists(join(folder, 'cert9.db'));
      if (isThere) found.push({ folder, usedBy: 'Firefox', isNew: false });
    }
  }
  return found;
}
