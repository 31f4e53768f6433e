// Where the pairings meet: one relay or two, a site to serve, our proxy and our exit as the library starts them.

import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { createExit, type ProxyOptions, type RunningExit } from '../../../src/index.js';
import { MemoryRelay, type RelayBehaviour } from '../../../src/relay/embedded/memory-relay.js';
import { Site } from '../../e2e/support/site.js';
import { World } from '../../e2e/support/world.js';

export interface GroundOptions {
  /** Default: 1. */
  readonly relays?: number;
  /** Of all relays; default: as the embedded relay is. */
  readonly behaviour?: Partial<RelayBehaviour>;
  /** Of our proxy. */
  readonly proxy?: Partial<ProxyOptions>;
}

export class Ground {
  readonly world: World;
  readonly site: Site;
  /** The relays, each once. */
  readonly urls: readonly string[];
  readonly #closers: (() => unknown)[] = [];
  #exits = 0;

  private constructor(world: World, site: Site, urls: readonly string[]) {
    this.world = world;
    this.site = site;
    this.urls = urls;
  }

  static async start(options: GroundOptions = {}): Promise<Ground> {
    const { relays = 1, behaviour = {}, proxy = {} } = options;
    const [world, site] = await Promise.all([World.start({ behaviour, proxy }), Site.start()]);
    const others = await Promise.all(
      Array.from({ length: relays - 1 }, () => MemoryRelay.start({ behaviour })),
    );
    const ground = new Ground(world, site, [world.relayUrl, ...others.map(({ url }) => url)]);
    for (const other of others) ground.later(other);
    return ground;
  }

  /** Port of the site. */
  get backend(): number {
    return Number(new URL(this.site.url).port);
  }

  /** Our exit, in front of the site unless told otherwise. */
  async startExit(options: Partial<Parameters<typeof createExit>[0]> = {}): Promise<RunningExit> {
    const home = join(this.world.home, `exit-${++this.#exits}`);
    const exit = await createExit({ home, relays: this.urls, target: this.site.url, ...options });
    this.#closers.push(() => exit.close(0));
    return exit;
  }

  /** A connection through our proxy, in plain text. */
  dial(host: string): Promise<Duplex> {
    return this.world.connect(host, 80);
  }

  /** Closes it before the relays. */
  later<T extends { close(): unknown }>(standIn: T): T {
    this.#closers.push(() => standIn.close());
    return standIn;
  }

  async close(): Promise<void> {
    for (const close of this.#closers.reverse()) await close();
    await this.world.close();
    await this.site.close();
  }
}
