// The curve of Nostr's keys, loaded at the first key that is used, since a program may come and go without one:
// machine code where there is some for this platform that works, else WebAssembly.

import { createRequire } from 'node:module';
import type * as Tiny from 'tiny-secp256k1';
import type { Curve } from './curve.js';
import { type Binding, nativeCurve } from './native.js';
import { wasmCurve } from './wasm.js';

export interface Loaded {
  readonly curve: Curve;
  /** Why it isn't machine code. */
  readonly reason?: string;
}

const require = createRequire(import.meta.url);
let loaded: Loaded | undefined;

/** The operations; the first call takes some 5 ms, by WebAssembly 15. */
export function secp256k1(): Curve {
  return curveInUse().curve;
}

/** Which kind it is, to tell those who wonder. */
export function curveInUse(): Loaded {
  loaded ??= loadCurve();
  return loaded;
}

/**
 * @param loadBinding for tests
 */
export function loadCurve(loadBinding: () => Binding = bindingOfPackage): Loaded {
  try {
    const curve = nativeCurve(loadBinding());
    if (works(curve)) return { curve };
    return { curve: loadWasm(), reason: 'the binary computes wrongly' };
  } catch (error) {
    return { curve: loadWasm(), reason: String((error as Error).message).split('\n')[0]! };
  }
}

/** By this path the package never takes its own way out, curve arithmetic in JavaScript. */
export function bindingOfPackage(): Binding {
  return require('secp256k1/bindings') as Binding;
}

/** For tests, too. */
export function loadWasm(): Curve {
  return wasmCurve(require('tiny-secp256k1') as typeof Tiny);
}

/** One signature, made and verified, as BIP-340 has it (vector 1), and a forged one. */
function works(curve: Curve): boolean {
  const [secret, auxiliary, message, generator, expected] = [
    'b7e151628aed2a6abf7158809cf4f3c762e7160f38b4da56a784d9045190cfef',
    '0000000000000000000000000000000000000000000000000000000000000001',
    '243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89',
    '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
    '6896bd60eeae296db48a229ff71dfe071bde413e6d43f917dc8dcf8c78de33418906d11ac976abccb20b091292bff4ea897efcb639ea871cfa95f6de339e4b0a',
  ].map((hex) => Buffer.from(hex, 'hex')) as [Buffer, Buffer, Buffer, Buffer, Buffer];
  const { pubkey, sign } = curve.signingKey(secret);
  return (
    expected.equals(sign(message, auxiliary)) &&
    curve.verify(message, pubkey, expected) &&
    !curve.verify(auxiliary, pubkey, expected) &&
    Buffer.compare(curve.sharedX(secret, generator), pubkey) === 0
  );
}
