// The blast bound: what a bare publisher and a bare subscriber get through a relay, in events of our size.

import { DEFAULT_EVENT_BYTES } from '../../../src/limits.js';
import { JSON_ENCODING } from '../../../src/protocol/wire/encoding.js';
import { maxDataBytes } from '../../../src/protocol/wire/payload.js';
import { Part } from '../parts/part.js';
import type { World } from '../world.js';
import type { Transferred } from './transfer.js';

const MEGABYTE = 1_000_000;
/** What an event of 65,536 bytes carries in the encoding of `v: 1`: the measure that all speeds are compared with. */
export const PAYLOAD_BYTES = Math.min(
  30_400,
  maxDataBytes(DEFAULT_EVENT_BYTES, 'nip44', JSON_ENCODING),
);

interface Answer {
  readonly seconds: number;
  readonly publisherCpu: number;
  readonly receiverCpu: number;
}

export class Blast {
  readonly #part: Part;
  readonly #world: World;
  readonly #events: number;

  private constructor(part: Part, world: World, events: number) {
    this.#part = part;
    this.#world = world;
    this.#events = events;
  }

  static async start(world: World, bytes: number): Promise<Blast> {
    const events = Math.ceil(bytes / PAYLOAD_BYTES);
    const argv = [world.relayUrl, String(events), String(PAYLOAD_BYTES)];
    return new Blast(await Part.script('blast', argv), world, events);
  }

  async run(): Promise<Transferred> {
    const { relay } = this.#world;
    const before = await relay?.usage();
    const { seconds, publisherCpu, receiverCpu } = await this.#part.ask<Answer>('run', 'seconds');
    const after = await relay?.usage();
    const megabytes = (this.#events * PAYLOAD_BYTES) / MEGABYTE;
    const hundreds = megabytes / 100;
    return {
      megabytesPerSecond: megabytes / seconds,
      events: this.#events / hundreds,
      cpuSeconds: {
        ...(after && before && { relay: (after.cpuSeconds - before.cpuSeconds) / hundreds }),
        publisher: publisherCpu / hundreds,
        subscriber: receiverCpu / hundreds,
      },
    };
  }

  close(): Promise<void> {
    return this.#part.end();
  }
}
