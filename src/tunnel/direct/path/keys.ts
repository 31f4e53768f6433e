// What follows from the secret of a path: its name on the wire, the key of its probes, and of the TLS of each stream.

import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  decodeProbe,
  encodeProbe,
  type Mac,
  PATH_ID_BYTES,
  type Probe,
} from '../../../protocol/direct/probe.js';

export class PathKeys {
  /** In hex. */
  readonly id: string;
  readonly #secret: Buffer;
  readonly #id: Buffer;
  readonly #mac: Mac;

  /** @param secret 32 bytes, fresh for each path */
  constructor(secret: Buffer) {
    this.#secret = secret;
    this.#id = this.#derive('path').subarray(0, PATH_ID_BYTES);
    this.id = this.#id.toString('hex');
    const probeKey = this.#derive('probe');
    this.#mac = (bytes) => createHmac('sha256', probeKey).update(bytes).digest();
  }

  /** The pre-shared key of one stream's TLS: 32 bytes. */
  ofStream(key: string): Buffer {
    return this.#derive(`stream ${key}`);
  }

  encode(probe: Probe): Buffer {
    return encodeProbe(probe, this.#id, this.#mac);
  }

  /** Reads a probe of this path; undefined where it is forged. */
  decode(bytes: Buffer): Probe | undefined {
    return decodeProbe(bytes, this.#mac, timingSafeEqual);
  }

  #derive(label: string): Buffer {
    return createHmac('sha256', this.#secret).update(`nws ${label}`).digest();
  }
}
