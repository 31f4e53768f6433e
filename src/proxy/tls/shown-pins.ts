// Which exits have shown the certificate of their pin lately, so that passthrough.ts need not check each connection.

import { BoundedMap } from '../../common/bounded.js';
import type { Pin } from '../../tls/pins/pins.js';

/** How long a passed check spares the next ones. */
const CHECK_LIFETIME_MS = 5 * 60_000;
/** Checks that are remembered. */
const MAX_CHECKS = 1_024;

/** Which exits have shown the certificate of their pin lately. One for each entry. */
export class ShownPins {
  /** Key and fingerprints → until when that holds. */
  readonly #until = new BoundedMap<string, number>(MAX_CHECKS);

  has(pin: Pin, port: number): boolean {
    return (this.#until.get(keyOf(pin, port)) ?? 0) > Date.now();
  }

  add(pin: Pin, port: number): void {
    this.#until.set(keyOf(pin, port), Date.now() + CHECK_LIFETIME_MS);
  }
}

function keyOf(pin: Pin, port: number): string {
  return [pin.pubkey, port, ...pin.fingerprints].join();
}
