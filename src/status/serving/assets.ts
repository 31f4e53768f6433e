// The files of the status page: its own, which lie in a folder beside this one's, also in a bundle, and uPlot's
// from its package. Read when they are asked for.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const TYPES = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
} as const;

/** By path. Nothing else is read, whatever is asked for. */
const FILES: Readonly<Record<string, string>> = {
  '/': 'index.html',
  '/status/page.css': 'page.css',
  '/status/page.js': 'page.js',
  '/status/tables.js': 'tables.js',
  '/status/rows.js': 'rows.js',
  '/status/format.js': 'format.js',
  '/status/plot.js': 'plot.js',
  '/status/icon.svg': 'icon.svg',
};
const PACKAGED: Readonly<Record<string, string>> = {
  '/status/uplot.js': 'uplot/dist/uPlot.esm.js',
  '/status/uplot.css': 'uplot/dist/uPlot.min.css',
};

const FOLDERS = ['../page/', './page/'];

export interface Asset {
  readonly type: string;
  readonly body: Buffer;
}

const known = new Map<string, Asset>();

/** The file for a path; undefined where there is none. Rejects where it can't be read. */
export async function assetFor(path: string): Promise<Asset | undefined> {
  const asset = known.get(path);
  if (asset !== undefined) return asset;
  const own = Object.hasOwn(FILES, path) ? FILES[path] : undefined;
  const packaged = Object.hasOwn(PACKAGED, path) ? PACKAGED[path] : undefined;
  const name = own ?? packaged;
  if (name === undefined) return undefined;
  const body = await (own === undefined ? readPackaged(name) : readOwn(name));
  const type = TYPES[name.slice(name.lastIndexOf('.') + 1) as keyof typeof TYPES];
  known.set(path, { type, body });
  return { type, body };
}

async function readOwn(name: string): Promise<Buffer> {
  const [first, second] = FOLDERS.map((folder) => new URL(folder + name, import.meta.url));
  return readFile(first!).catch(() => readFile(second!));
}

function readPackaged(name: string): Promise<Buffer> {
  return readFile(createRequire(import.meta.url).resolve(name));
}
