// What the program asks of the curve of Nostr's keys. Two kinds do it: native.ts and wasm.ts.

export interface Curve {
  readonly name: 'native' | 'wasm';
  /** Whether these are 32 bytes of a scalar from 1 to n − 1. */
  isSecretKey(bytes: Uint8Array): boolean;
  /** Whether these 32 bytes are the x of a point on the curve. */
  isPublicKey(x: Uint8Array): boolean;
  /** @throws Error where the key is none. The caller's bytes are copied. */
  signingKey(secretKey: Uint8Array): SigningKey;
  /** A BIP-340 signature by an x-only key. False for whatever isn't one; never throws. */
  verify(message: Uint8Array, pubkey: Uint8Array, signature: Uint8Array): boolean;
  /**
   * The x of the point that the owners of two keys share.
   * @throws Error where one of them is no key.
   */
  sharedX(secretKey: Uint8Array, pubkey: Uint8Array): Uint8Array;
}

export interface SigningKey {
  /** 32 bytes, x only. */
  readonly pubkey: Uint8Array;
  /**
   * The BIP-340 signature of 32 bytes.
   * @param auxiliary 32 random bytes
   */
  sign(message: Uint8Array, auxiliary: Uint8Array): Uint8Array;
}
