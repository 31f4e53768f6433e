// The library as it is built, with the types of its sources; or that of another checkout.

import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export async function library(root = ROOT): Promise<typeof import('../../../src/index.js')> {
  return import(pathToFileURL(join(root, 'dist/index.js')).href);
}
