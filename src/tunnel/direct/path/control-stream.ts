// The control stream of a path: what both sides say about its streams, each message checked, both directions bounded.

import type { TLSSocket } from 'node:tls';
import {
  type ControlMessage,
  ControlReader,
  encodeControl,
} from '../../../protocol/direct/control.js';

/** What may wait to be sent; a side that reads nothing is cut off. */
const MAX_WAITING_BYTES = 1024 * 1024;

export class ControlStream {
  readonly #tls: TLSSocket;

  /** @param onEnd it has broken off, or ended, which a path does by it */
  constructor(tls: TLSSocket, onMessage: (message: ControlMessage) => void, onEnd: () => void) {
    const reader = new ControlReader();
    this.#tls = tls;
    tls.setEncoding('utf8');
    tls.on('data', (text: string) => {
      try {
        for (const message of reader.read(text)) onMessage(message);
      } catch (error) {
        tls.destroy(error as Error);
      }
    });
    tls.on('error', () => undefined);
    tls.once('end', onEnd).once('close', onEnd);
  }

  say(message: ControlMessage): void {
    if (this.#tls.destroyed) return;
    this.#tls.write(encodeControl(message));
    if (this.#tls.writableLength > MAX_WAITING_BYTES) this.#tls.destroy();
  }

  close(): void {
    this.#tls.destroy();
  }
}
