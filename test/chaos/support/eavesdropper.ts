// Somebody else at a relay: sees every encrypted event that passes, and can publish it again.

import { once } from 'node:events';
import type { Event as NostrEvent } from 'nostr-tools';
import { WebSocket } from 'ws';
import { KIND } from '../../../src/protocol/wire/events.js';
import { until } from '../../support/until.js';

export class Eavesdropper {
  /** In the order in which the relay passed them on. */
  readonly events: NostrEvent[] = [];
  readonly #ws: WebSocket;
  #answers = 0;

  private constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.on('message', (data) => {
      const [type, , event] = JSON.parse(String(data)) as [string, string, NostrEvent];
      if (type === 'EVENT') this.events.push(event);
      else if (type === 'OK') this.#answers += 1;
    });
  }

  static async at(relay: string): Promise<Eavesdropper> {
    const ws = new WebSocket(relay);
    await once(ws, 'open');
    const listening = once(ws, 'message');
    ws.send(JSON.stringify(['REQ', 'all', { kinds: [KIND.message], limit: 0 }]));
    const eavesdropper = new Eavesdropper(ws);
    await listening;
    return eavesdropper;
  }

  /** Publishes these events, and waits for the relay's answer to each. */
  async publish(events: readonly NostrEvent[]): Promise<void> {
    const answered = this.#answers + events.length;
    for (const event of events) this.#ws.send(JSON.stringify(['EVENT', event]));
    await until(() => this.#answers >= answered);
  }

  close(): void {
    this.#ws.terminate();
  }
}
