// The whole path: entry and exit as the library starts them, over the embedded relay.

import { readFileSync } from 'node:fs';
import { World } from '../e2e/support/world.js';
import { until } from '../support/until.js';
import type { Door } from './client.js';
import { doorOf, type Rig } from './near.js';
import type { Origin } from './origin.js';
import type { Way } from './plan.js';

export class Far implements Rig {
  readonly #world: World;

  private constructor(world: World) {
    this.#world = world;
  }

  static async start(origin: Pick<Origin, 'port'>): Promise<Far> {
    return new Far(await World.start({ target: `http://127.0.0.1:${origin.port}` }));
  }

  door(way: Way): Door {
    const { proxy, exit } = this.#world;
    return doorOf(
      way,
      Number(new URL(proxy.url).port),
      exit.domain,
      readFileSync(proxy.caPath, 'utf8'),
    );
  }

  async quiet(): Promise<void> {
    await until(() => this.#world.proxy.connections === 0);
  }

  async close(): Promise<void> {
    // Idle connections end at once; a minute is for those that are still at work, and none may be.
    await this.#world.exit.close(60_000);
    await until(() => this.#world.proxy.streams === 0);
    await this.cut();
  }

  cut(): Promise<void> {
    return this.#world.close();
  }
}
