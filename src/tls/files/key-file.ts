// A certificate and its private key on disk, always a matching pair, whichever processes start at once.
// `<name>-key.pem` (0600) holds both and is the truth; `<name>.pem` (0644) is a copy of the certificate.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NwsError } from '../../errors.js';
import type { CertifiedKey } from '../x509/x509.js';
import { createFile, PRIVATE_MODE, PUBLIC_MODE, readPrivateFile, replaceFile } from './files.js';

export interface KeyFileOptions {
  /** Where, and the name without its ending. */
  readonly folder: string;
  readonly name: string;
  /** Makes the pair, when there is none or the one on disk isn't kept. */
  make(): CertifiedKey;
  /** Whether the pair on disk still serves; may throw to refuse it. */
  keep(pair: CertifiedKey): boolean;
}

/**
 * The pair on disk, made on first use.
 * @throws NwsError `bad_config` for wrong permissions or broken content; never with the content.
 */
export function openKeyFile(options: KeyFileOptions): CertifiedKey {
  const { folder, name } = options;
  const path = join(folder, `${name}-key.pem`);
  let text = readPrivateFile(path);
  if (text === undefined) {
    createFile(path, encode(options.make()), PRIVATE_MODE);
    // Read back: another process may have been first, and then its pair is the one.
    text = readPrivateFile(path) ?? '';
  }
  let pair = decode(path, text);
  if (!options.keep(pair)) {
    pair = options.make();
    replaceFile(path, encode(pair), PRIVATE_MODE);
  }
  publishCopy(join(folder, `${name}.pem`), pair.certificate.toString());
  return pair;
}

/** The private key as PEM (PKCS #8). */
export function privatePem(pair: Pick<CertifiedKey, 'privateKey'>): string {
  return pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

function encode(pair: CertifiedKey): string {
  return privatePem(pair) + pair.certificate.toString();
}

function decode(path: string, text: string): CertifiedKey {
  let pair: CertifiedKey | undefined;
  try {
    pair = { privateKey: createPrivateKey(text), certificate: new X509Certificate(text) };
  } catch {
    // The cause is left out: it could quote the key.
  }
  if (!pair?.certificate.checkPrivateKey(pair.privateKey)) {
    throw new NwsError('bad_config', `${path} holds no private key with its certificate`, {
      hint: 'restore it from a backup, or remove it to have a new one made',
    });
  }
  return pair;
}

function publishCopy(path: string, pem: string): void {
  let current = '';
  try {
    current = readFileSync(path, 'utf8');
  } catch {
    // Missing or unreadable: written below, which says what is wrong if it fails too.
  }
  if (current !== pem) replaceFile(path, pem, PUBLIC_MODE);
}
