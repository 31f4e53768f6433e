// The curve of Nostr's keys: libsecp256k1 as WebAssembly, loaded at the first key that is used, since a program may
// come and go without one.

import { createRequire } from 'node:module';
import type * as Secp256k1 from 'tiny-secp256k1';

const require = createRequire(import.meta.url);
let loaded: typeof Secp256k1 | undefined;

/** The operations; the first call takes some 15 ms. */
export function secp256k1(): typeof Secp256k1 {
  loaded ??= require('tiny-secp256k1') as typeof Secp256k1;
  return loaded;
}
