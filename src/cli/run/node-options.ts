// NODE_OPTIONS for a command: what the user has there, and the file that leads fetch() through the proxy.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Beside this file in the sources, above it in the bundle. */
const PLACES = ['./fetch-preload.cjs', '../fetch-preload.cjs'];

/** @returns undefined where there is nothing to set */
export function nodeOptions(given: string | undefined): string | undefined {
  const path = PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((found) =>
    existsSync(found),
  );
  return path === undefined ? given : withPreload(given, path);
}

/** Behind the user's own, whose preloads come first and may set what they like. */
export function withPreload(given: string | undefined, path: string): string {
  const option = `--require ${quoted(path)}`;
  if (given === undefined || given.trim() === '') return option;
  // Inside of another `nws run` it is there already.
  return given.includes(option) ? given : `${given} ${option}`;
}

/** As Node reads the variable: blanks part words, double quotes keep them together, a backslash escapes in these. */
function quoted(path: string): string {
  return /[\s"\\]/.test(path) ? `"${path.replace(/["\\]/g, '\\$&')}"` : path;
}
