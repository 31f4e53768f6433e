// Which layer a test file belongs to. A unit test opens no socket and starts no process: neither it nor the parts of
// test/ that it uses import what can.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** What opens sockets or starts processes. Types alone don't count. */
const REACHES_OUT =
  /^(?:node:(?:child_process|dgram|http|http2|https|net|tls|worker_threads)|ws|undici|.*\/src\/(?:main|index|cli\/cli|proxy\/proxy|exit\/exit|relay\/(?:link|pool|embedded\/memory-relay)|tunnel\/session)\.js)$/;

/** Whether a test file needs nothing but this process. */
export function isUnit(file: string, seen = new Set<string>()): boolean {
  if (seen.has(file)) return true;
  seen.add(file);
  const code = readFileSync(file, 'utf8').replace(/^import type [^;]*;/gm, '');
  const names = [...code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)].map(
    ([, name]) => name!,
  );
  if (names.some((name) => REACHES_OUT.test(name))) return false;
  return names
    .filter((name) => name.startsWith('.'))
    .map((name) => normalize(join(dirname(file), name)).replace(/\.js$/, '.ts'))
    .filter((path) => !path.includes('/src/') && !path.startsWith('src/') && existsSync(path))
    .every((path) => isUnit(path, seen));
}
