// Counts the tunnel's events at a relay that doesn't tell: by a subscription to all of them. A load of its own, so only
// for what is small.

import { once } from 'node:events';
import { WebSocket } from 'ws';
import { KIND } from '../../../src/protocol/wire/events.js';

export class Witness {
  events = 0;
  readonly #ws: WebSocket;

  private constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.on('message', (frame: Buffer) => {
      if (frame.toString('latin1', 2, 7) === 'EVENT') this.events += 1;
    });
  }

  static async at(relay: string): Promise<Witness> {
    const ws = new WebSocket(relay);
    await once(ws, 'open');
    const listening = once(ws, 'message');
    ws.send(JSON.stringify(['REQ', 'all', { kinds: [KIND.message], limit: 0 }]));
    const witness = new Witness(ws);
    await listening;
    return witness;
  }

  close(): void {
    this.#ws.terminate();
  }
}
