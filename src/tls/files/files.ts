// State files that more than one process may open: private reads, atomic writes, a short lock.
// Synchronous on purpose: the files are small, and a check and the write after it must not be parted.

import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { NwsError } from '../../errors.js';

/** Mode of files that hold secrets. */
export const PRIVATE_MODE = 0o600;
/** Mode of files that anyone on this machine may read. */
export const PUBLIC_MODE = 0o644;

/** Locks are held for milliseconds: whoever holds one for longer has died. */
const LOCK_WAIT_MS = 1_000;
const LOCK_POLL_MS = 5;

/**
 * Reads a text file that only its owner may read; undefined when there is none.
 * @throws NwsError `bad_config` when others may read or write it, or it can't be read.
 */
export function readPrivateFile(path: string): string | undefined {
  return attempt('read', path, () => {
    let file: number;
    try {
      file = fs.openSync(path, 'r');
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return undefined;
      throw error;
    }
    try {
      checkMode(path, fs.fstatSync(file).mode);
      return fs.readFileSync(file, 'utf8');
    } finally {
      fs.closeSync(file);
    }
  });
}

/**
 * A text that changes whenever the file is written or its mode is; undefined when there is none.
 * @throws NwsError `bad_config`
 */
export function fileIdentity(path: string): string | undefined {
  const stat = attempt('read', path, () =>
    fs.statSync(path, { throwIfNoEntry: false, bigint: true }),
  );
  return stat && `${stat.ino} ${stat.mtimeNs} ${stat.size} ${stat.mode}`;
}

/**
 * Writes a file that must not exist yet, whole or not at all. Of several processes one succeeds.
 * @returns false when the file was there already, which stays as it is.
 * @throws NwsError `bad_config`
 */
export function createFile(path: string, content: string, mode: number): boolean {
  return attempt('create', path, () =>
    withTemporary(path, content, mode, (temporary) => {
      try {
        fs.linkSync(temporary, path);
        return true;
      } catch (error) {
        if (isSystemError(error, 'EEXIST')) return false;
        throw error;
      }
    }),
  );
}

/**
 * Writes a file, replacing what was there at once.
 * @throws NwsError `bad_config`
 */
export function replaceFile(path: string, content: string, mode: number): void {
  attempt('write', path, () =>
    withTemporary(path, content, mode, (temporary) => fs.renameSync(temporary, path)),
  );
}

/** Runs `action` while no other process runs one under the same lock file. */
export function withLock<T>(path: string, action: () => T): T {
  attempt('lock', path, () => acquireLock(path));
  try {
    return action();
  } finally {
    fs.rmSync(path, { force: true });
  }
}

function acquireLock(path: string): void {
  fs.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const pause = new Int32Array(new SharedArrayBuffer(4));
  const deadline = Date.now() + LOCK_WAIT_MS;
  for (;;) {
    try {
      fs.closeSync(fs.openSync(path, 'wx', PRIVATE_MODE));
      return;
    } catch (error) {
      if (!isSystemError(error, 'EEXIST')) throw error;
      if (Date.now() >= deadline) return;
      Atomics.wait(pause, 0, 0, LOCK_POLL_MS);
    }
  }
}

function withTemporary<T>(
  path: string,
  content: string,
  mode: number,
  use: (temporary: string) => T,
): T {
  fs.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    fs.writeFileSync(temporary, content, { mode: PRIVATE_MODE, flag: 'wx', flush: true });
    // Said again, because the umask may have taken bits away.
    fs.chmodSync(temporary, mode);
    return use(temporary);
  } finally {
    fs.rmSync(temporary, { force: true });
  }
}

function checkMode(path: string, mode: number): void {
  // Windows keeps its permissions elsewhere and reports a made-up mode.
  if (process.platform === 'win32' || (mode & 0o077) === 0) return;
  throw new NwsError('bad_config', `${path} can be read or written by others`, {
    hint: `if nobody else has used it: chmod 600 ${path}`,
  });
}

function attempt<T>(verb: string, path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof NwsError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new NwsError('bad_config', `cannot ${verb} ${path}: ${code}`, {
      hint: 'check --home (NWS_HOME): the folder must exist or be creatable, and be writable',
      cause,
    });
  }
}

function isSystemError(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code;
}
