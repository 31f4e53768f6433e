// The exit's secret key on disk: read, made on first use, written for `nws keygen`.
// Refuses files that others may read; the content never appears in an error.

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { generateSecretKey, parseSecretKey } from '../crypto/signer.js';
import { NwsError } from '../errors.js';
import { createFile, PRIVATE_MODE } from '../tls/files/files.js';

const KEY_FILE = 'exit.key';
/** Bytes that are read of a key file: an nsec or 64 hex characters, and some white space. */
const MAX_KEY_FILE_BYTES = 256;

/**
 * The key in `<home>/exit.key`, made when there is none. Two processes that start at once get the same.
 * @throws NwsError `bad_config`
 */
export async function openIdentity(home: string): Promise<Uint8Array> {
  const path = join(home, KEY_FILE);
  const kept = await readIfPresent(path);
  if (kept !== undefined) return kept;
  const secretKey = generateSecretKey();
  return createFile(path, encode(secretKey), PRIVATE_MODE) ? secretKey : readKeyFile(path);
}

/**
 * Reads a secret key, 64 hex characters or an nsec, from a regular file with mode 0600 or stricter.
 * @throws NwsError `bad_config`, which never quotes the file.
 */
export async function readKeyFile(path: string): Promise<Uint8Array> {
  const secretKey = await readIfPresent(path);
  if (secretKey !== undefined) return secretKey;
  throw bad(`there is no key file ${path}`, `make one: nws keygen --out ${path}`);
}

/**
 * Writes a new key to a file of its own with mode 0600, and gives it back.
 * @throws NwsError `bad_config` where the file exists, which stays as it is.
 */
export async function writeKeyFile(path: string): Promise<Uint8Array> {
  const secretKey = generateSecretKey();
  if (createFile(path, encode(secretKey), PRIVATE_MODE)) return secretKey;
  throw bad(`${path} exists`, 'a key is never overwritten: give another name, or move it away');
}

function encode(secretKey: Uint8Array): string {
  return `${Buffer.from(secretKey).toString('hex')}\n`;
}

async function readIfPresent(path: string): Promise<Uint8Array | undefined> {
  let file: FileHandle;
  try {
    // O_NONBLOCK: opening a pipe would wait for a writer.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw bad(`cannot read the key file ${path}: ${code}`, 'check its owner and permissions');
  }
  try {
    return parse(path, await readChecked(path, file));
  } finally {
    await file.close();
  }
}

async function readChecked(path: string, file: FileHandle): Promise<string> {
  const stat = await file.stat();
  if (!stat.isFile()) throw bad(`key file ${path} is not a regular file`, 'give a file');
  // Windows keeps its permissions elsewhere and reports a made-up mode.
  if (process.platform !== 'win32' && (stat.mode & 0o077) !== 0) {
    const mode = (stat.mode & 0o777).toString(8).padStart(4, '0');
    const hint = `if nobody else has used it: chmod 600 ${path}`;
    throw bad(`key file ${path} has mode ${mode}, so others can reach it`, hint);
  }
  const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_KEY_FILE_BYTES));
  return buffer.toString('latin1', 0, bytesRead).trim();
}

function parse(path: string, text: string): Uint8Array {
  try {
    return parseSecretKey(text);
  } catch {
    // The cause is left out: it must not be able to quote the key.
    const hint = 'it has to hold 64 hex characters or an nsec; `nws keygen` makes one';
    throw bad(`key file ${path} holds no valid key`, hint);
  }
}

function bad(message: string, hint: string): NwsError {
  return new NwsError('bad_config', message, { hint });
}
