// Bundles of CAs for a command behind the proxy. Most variables replace what a tool trusts, so that they get all:
// the system's roots, what the user has named to any of the tools, and the local CA.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PRIVATE_MODE, replaceFile } from '../../tls/files/files.js';
import type { Io } from '../io.js';
import { type Certificates, certificatesIn, toPem, union, without } from './certificates.js';
import { type NamedCa, namedCas } from './named-cas.js';

/** Where systems keep their bundle: Debian and Alpine, Fedora, openSUSE, macOS and the BSDs. */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** Files. */
export interface Bundles {
  /** Everything. */
  readonly all: string;
  /** The same, and what the .npmrc of the working folder names. */
  readonly npm: string;
  /** For tools that trust the system's roots, or their own, in any case. */
  readonly extra: string;
}

/**
 * Writes bundles beside the CA.
 * @param warn is told of what is named and can't be read
 */
export async function writeBundles(
  io: Io,
  caPath: string,
  warn: (text: string) => void,
): Promise<Bundles> {
  const [ca, system, named] = await Promise.all([
    readFile(caPath, 'utf8').then(certificatesIn),
    systemRoots(),
    namedCas(io),
  ]);
  const reader = new Reader(warn);
  const [node, others, project] = await Promise.all([
    reader.read(named.node),
    reader.read(named.others),
    reader.read(named.project),
  ]);
  const folder = dirname(caPath);
  const all = union(system, node, others, ca);
  // Not the system's roots: a file for Node is parsed by each Node that starts.
  const extra = union(node, without(others, system), ca);
  return {
    all: fileOf(folder, all),
    npm: fileOf(folder, union(all, project)),
    extra: extra.size === ca.size ? caPath : fileOf(folder, extra),
  };
}

/**
 * A file that others may share, by its content: commands that run at the same time, each with settings of its own,
 * don't change each other's.
 */
export function sharedFile(
  folder: string,
  nameFor: (hash: string) => string,
  content: string,
): string {
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 12);
  const path = join(folder, nameFor(hash));
  if (!existsSync(path)) replaceFile(path, content, PRIVATE_MODE);
  return path;
}

function fileOf(folder: string, certificates: Certificates): string {
  return sharedFile(folder, (hash) => `bundle-${hash}.pem`, toPem(certificates));
}

/** Reads what is named, each file once. */
class Reader {
  readonly #warn: (text: string) => void;
  readonly #files = new Map<string, Promise<Certificates>>();

  constructor(warn: (text: string) => void) {
    this.#warn = warn;
  }

  async read(named: readonly NamedCa[]): Promise<Certificates> {
    return union(...(await Promise.all(named.map((one) => this.#readOne(one)))));
  }

  #readOne({ origin, path, pem }: NamedCa): Promise<Certificates> | Certificates {
    if (path === undefined) return certificatesIn(pem ?? '');
    const reading = this.#files.get(path) ?? this.#readFile(origin, path);
    this.#files.set(path, reading);
    return reading;
  }

  async #readFile(origin: string, path: string): Promise<Certificates> {
    try {
      const found = certificatesIn(await textAt(path));
      if (found.size === 0) this.#warn(`${origin}: there is no certificate in ${path}`);
      return found;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      this.#warn(`${origin}: ${path} can't be read (${code}), so its CAs aren't trusted`);
      return new Set();
    }
  }
}

/** requests takes a folder, too. */
async function textAt(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EISDIR') throw error;
    const names = await readdir(path);
    const texts = names.map((name) => readFile(join(path, name), 'utf8').catch(() => ''));
    return (await Promise.all(texts)).join('\n');
  }
}

async function systemRoots(): Promise<Certificates> {
  for (const path of SYSTEM_BUNDLES) {
    const found = certificatesIn(await readFile(path, 'utf8').catch(() => ''));
    if (found.size > 0) return found;
  }
  const { rootCertificates } = await import('node:tls');
  return certificatesIn(rootCertificates.join('\n'));
}
