// A world whose entry can be reached: one entry with a public address, and exits of which some may connect to it.

import { join } from 'node:path';
import { pino } from 'pino';
import { parseRule } from '../../../src/exit/policy/rules.js';
import {
  createExit,
  createSigner,
  type ExitOptions,
  generateSecretKey,
  type MemoryRelay,
  type RunningExit,
  type RunningProxy,
} from '../../../src/index.js';
import type { RelayBehaviour } from '../../../src/relay/embedded/behaviour.js';
import { deadPort } from '../../support/servers.js';
import { until } from '../../support/until.js';
import { World } from '../support/world.js';
import type { ReversePath } from './path.js';

/** For an exit that may connect back to loopback. */
export const MAY_CONNECT: Partial<Omit<ExitOptions, 'target'>> = {
  allow: [parseRule('127.0.0.1:1-65535'), parseRule('[::1]:1-65535')],
};

export interface ReverseOptions {
  /** What is in between; default: nothing. */
  readonly path?: ReversePath;
  /** Of the embedded relay. */
  readonly behaviour?: Partial<RelayBehaviour>;
}

/** A line of the entry's log. */
interface Line {
  readonly msg: string;
  readonly peer?: string;
  readonly exit?: string;
  readonly way?: string;
  readonly bytesUp?: number;
  readonly bytesDown?: number;
}

export class ReverseWorld {
  readonly world: World;
  readonly #lines: Line[];
  readonly #exits: RunningExit[] = [];

  private constructor(world: World, lines: Line[]) {
    this.world = world;
    this.#lines = lines;
  }

  static async start({ path, behaviour }: ReverseOptions = {}): Promise<ReverseWorld> {
    const lines: Line[] = [];
    const write = (line: string): void => void lines.push(JSON.parse(line) as Line);
    const log = pino({ level: 'info' }, { write });
    const publicAddress = path?.address ?? { host: '127.0.0.1', port: await deadPort() };
    const port = path === undefined ? publicAddress.port : 0;
    const reverseListen = { ...publicAddress, port };
    const world = await World.start({
      proxy: { log, publicAddress, reverseListen },
      ...(behaviour && { behaviour }),
    });
    path?.leadTo(world.proxy.reverseAddress!);
    return new ReverseWorld(world, lines);
  }

  get proxy(): RunningProxy {
    return this.world.proxy;
  }

  get relay(): MemoryRelay {
    return this.world.relay;
  }

  /** An exit with a key of its own, which is the world's exit from now on. */
  async startExit(target: string, options = MAY_CONNECT): Promise<RunningExit> {
    const { home, relayUrl } = this.world;
    const signer = createSigner(generateSecretKey());
    const exitHome = join(home, signer.pubkey);
    const exit = await createExit({
      signer,
      home: exitHome,
      relays: [relayUrl],
      target,
      ...options,
    });
    this.#exits.push(exit);
    this.world.exit = exit;
    return exit;
  }

  /** The same, and the entry has learned from a first stream that it speaks reliable streams. */
  async meetExit(target: string, options = MAY_CONNECT): Promise<RunningExit> {
    const exit = await this.startExit(target, options);
    const socket = await this.world.connect();
    socket.write('GET / HTTP/1.1\r\nHost: first\r\nConnection: close\r\n\r\n');
    socket.once('data', () => socket.end()).resume();
    await until(() => socket.closed);
    await this.quiet();
    return exit;
  }

  /** Another entry with the same files and settings. */
  async restartProxy(): Promise<void> {
    await this.world.proxy.close(0);
    await this.world.startProxy();
  }

  /** How streams to an exit have travelled that are over. */
  ways({ pubkey }: RunningExit): (string | undefined)[] {
    return this.ended(pubkey).map(({ way }) => way);
  }

  /** What was logged of streams to an exit that are over. */
  ended(pubkey: string): Line[] {
    return this.#lines.filter(({ msg, peer }) => msg === 'stream ended' && peer === pubkey);
  }

  /** How often it was found out that an exit can't connect to the entry. */
  failures({ pubkey }: RunningExit): number {
    const isFailure = ({ msg, exit }: Line): boolean =>
      exit === pubkey && /can not connect back/.test(msg);
    return this.#lines.filter(isFailure).length;
  }

  /** Resolves when no stream and no client is left on any side. */
  async quiet(): Promise<void> {
    await this.world.quiet();
    await until(() => this.#exits.every(({ streams }) => streams === 0));
  }

  async close(): Promise<void> {
    await Promise.all(this.#exits.map((exit) => exit.close(0)));
    await this.world.close();
  }
}
