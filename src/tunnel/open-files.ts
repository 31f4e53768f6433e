// How many connections fit what the system lets this process open.

import { readFileSync } from 'node:fs';
import { OPEN_FILES_HINT } from '../errors.js';
import { MAX_STREAMS_PER_PEER } from '../limits.js';

/** Kept for relays, keys, pins, name servers, pages and Node itself, or half where that is less. */
const RESERVED = 128;

let limit: number | undefined;

/** Files and sockets that this process may have open at once; infinite where the system doesn't say. */
export function openFilesLimit(): number {
  limit ??= linuxLimit() ?? reportedLimit() ?? Number.POSITIVE_INFINITY;
  return limit;
}

/** So many of `most` things that need a file each may be open, and a few more files beside them. */
export function fittingFiles(most: number, files = openFilesLimit()): number {
  const reserved = Math.min(RESERVED, Math.floor(files / 2));
  return Math.max(1, Math.min(most, files - reserved));
}

/** Tells the operator where the system allows fewer connections than one client may ask for. */
export function warnOfFewFiles(
  log: { warn(facts: object, text: string): void },
  files = openFilesLimit(),
): void {
  const connections = fittingFiles(MAX_STREAMS_PER_PEER, files);
  if (connections === MAX_STREAMS_PER_PEER) return;
  const text = `the system lets this process open ${files} files: room for ${connections} connections`;
  log.warn({ files, hint: OPEN_FILES_HINT }, text);
}

/** Soft limit, which Node has raised to the hard one when it started. */
function linuxLimit(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))!;
    return Number(soft);
  } catch {
    return undefined;
  }
}

/** Costs some milliseconds. */
function reportedLimit(): number | undefined {
  const { userLimits } = process.report.getReport() as unknown as {
    readonly userLimits?: { readonly open_files?: { readonly soft?: number | string } };
  };
  const soft = Number(userLimits?.open_files?.soft);
  return Number.isInteger(soft) ? soft : undefined;
}
