// Stack traces in terms of the source files: the program runs from a bundle. Node could do this by itself
// (--enable-source-maps), for the price of reading every map at each start.

import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** What a user can do about a mistake of ours. */
export const BUG_HINT = 'this is a bug; please report it with its stack';

const PLACE = /(file:\/\/[^\s()]+\.js):(\d+):(\d+)/g;

/** The stack of an error; places in files with a source map beside them are told as places in the sources. */
export function stackOf(error: Error): string {
  const maps = new Map<string, SourceMap | undefined>();
  return (error.stack ?? error.message).replace(PLACE, (place, url: string, line, column) => {
    if (!maps.has(url)) maps.set(url, mapOf(url));
    const entry = maps.get(url)?.findEntry(Number(line) - 1, Number(column) - 1);
    if (entry === undefined || !('originalSource' in entry)) return place;
    const source = new URL(entry.originalSource, pathToFileURL(`${fileURLToPath(url)}.map`));
    return `${source.href}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  });
}

function mapOf(url: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${fileURLToPath(url)}.map`, 'utf8')));
  } catch {
    return undefined; // no map, or none that can be read: the place stays as it is
  }
}
