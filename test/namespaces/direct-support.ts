// Two sides with a network between them, set up for direct paths, and what a test asks of them.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { until } from '../support/until.js';
import { hashOf } from './bytes.js';
import { homeRouter, Network, type RouterOptions } from './network.js';
import type { Started } from './started.js';

/** Where relay and STUN are, out there. */
const RELAY_ADDRESS = '8.8.6.2';
export const STUN = `${RELAY_ADDRESS}:7777`;
export const STUN_IPV6 = '[2a00:6::2]:7777';
const RELAY = `ws://${RELAY_ADDRESS}:7777`;
/** A client's patience; nothing here comes near it, but for downloads that are cut. */
const MOST_SECONDS = '900';
/** Each side asks a candidate so often. */
export const MOST_QUESTIONS = 11;
/** From one question to a candidate to the next, it is a second at most. */
const QUIET_MS = 1_500;

const COUNT_UDP = `table inet count {
  counter sent { }
  counter inside { }
  counter received { }
  chain out { type filter hook output priority 0;
    meta l4proto udp counter name sent;
    ip daddr { 10.0.0.0/8, 224.0.0.0/4 } meta l4proto udp counter name inside;
  }
  chain in { type filter hook input priority 0; meta l4proto udp counter name received; }
}`;

/**
 *   entry 10.1.0.2 ── entry-home 10.1.0.1, 8.8.4.2 ── world 8.8.4.1, 8.8.5.1 ── 8.8.5.2, 10.2.0.1 exit-home ── 10.2.0.2 exit
 */
export function twoHomes(network: Network, home: RouterOptions = {}, exitHome = home): void {
  network.add('world', 'entry-home', 'entry', 'exit-home', 'exit');
  network.link('world', '8.8.4.1/24', 'entry-home', '8.8.4.2/24');
  network.link('entry-home', '10.1.0.1/24', 'entry', '10.1.0.2/24');
  network.link('world', '8.8.5.1/24', 'exit-home', '8.8.5.2/24');
  network.link('exit-home', '10.2.0.1/24', 'exit', '10.2.0.2/24');
  network.forward('entry-home');
  network.forward('exit-home');
  network.filter('entry-home', homeRouter('world', home));
  network.filter('exit-home', homeRouter('world', exitHome));
}

export interface Download {
  /** Of curl. */
  readonly status: number | null;
  readonly isRight: boolean;
  /** On performance.now(). */
  readonly endedAt: number;
  readonly seconds: number;
}

export class Scene {
  readonly network: Network;
  readonly folder: string;
  proxy: Started | undefined;
  exit: Started | undefined;
  url = '';
  #curl: string[] = [];
  readonly #counted: string[] = [];

  private constructor(network: Network, folder: string) {
    this.network = network;
    this.folder = folder;
  }

  /** A network, and a relay in the host `world`. */
  static async start(build: (network: Network) => void, stun = true): Promise<Scene> {
    const folder = await mkdtemp(join(tmpdir(), 'nws-direct-'));
    const scene = new Scene(new Network('d'), folder);
    try {
      build(scene.network);
      scene.network.add('relay');
      const world = '8.8.6.1/24,2a00:6::1/64';
      scene.network.link('world', world, 'relay', `${RELAY_ADDRESS}/24,2a00:6::2/64`);
      scene.network.forward('world');
      const mode = stun ? [] : ['no-stun'];
      await scene.network.program('relay', folder, 'test/namespaces/relay.ts', ...mode).ready();
      return scene;
    } catch (error) {
      await scene.close();
      throw error;
    }
  }

  async startExit(...argv: readonly string[]): Promise<void> {
    await this.network.program('exit', this.folder, 'test/namespaces/site.ts').ready();
    const flags = ['exit', '--target', 'http://127.0.0.1:8080', '--relay', RELAY, '--json'];
    this.exit = this.network.nws('exit', this.folder, ...flags, ...argv);
    const { domain } = await this.exit.ready();
    this.url = `https://${domain}/`;
  }

  async startProxy(...argv: readonly string[]): Promise<void> {
    const flags = ['proxy', '--listen', '127.0.0.1:0', '--json', ...argv];
    this.proxy = this.network.nws('entry', this.folder, ...flags);
    const { listen, ca } = await this.proxy.ready();
    const quiet = ['curl', '-q', '-sS', '--max-time', MOST_SECONDS];
    this.#curl = [...quiet, '--proxy', listen!, '--cacert', ca!];
  }

  /** Fetches the page on a new connection. */
  fetch(): string {
    return this.network.run('entry', ...this.#curl, this.url);
  }

  /** How the proxy's streams went that have ended, the first first. */
  get ways(): unknown[] {
    return this.proxy!.logged('stream ended').map(({ way }) => way);
  }

  /** Fetches the page so often, and says how each went. */
  async waysOf(requests: number): Promise<unknown[]> {
    const before = this.ways.length;
    for (let request = 0; request < requests; request += 1) this.fetch();
    await until(() => this.ways.length >= before + requests);
    return this.ways.slice(before);
  }

  /** Of the proxy's looking for a path so far: whether it found one, and otherwise why not. */
  get outcomes(): Record<string, unknown>[] {
    return [
      ...this.proxy!.logged('a direct path stands'),
      ...this.proxy!.logged('no direct path: relays it is'),
    ];
  }

  /** Waits until the proxy has found a path, or given up. Resolves with its reason, if it gave one. */
  async settled(): Promise<unknown> {
    await until(() => this.outcomes.length > 0);
    return this.outcomes[0]!.reason;
  }

  /** From now on, counts datagrams of a host, to it and from it. */
  countUdp(host: string): void {
    this.network.filter(host, COUNT_UDP);
    this.#counted.push(host);
  }

  /** Datagrams of a host since it is counted, or those alone that it sent to private addresses and multicast groups. */
  udpOf(host: string, which: 'sent' | 'received' | 'inside'): number {
    const counter = this.network.run(host, 'nft', 'list', 'counter', 'inet', 'count', which);
    return Number(/packets (\d+)/.exec(counter)![1]);
  }

  /** Waits until no datagram has been sent for longer than probing ever pauses. */
  async quiet(): Promise<void> {
    const sent = (): string => this.#counted.map((host) => this.udpOf(host, 'sent')).join();
    let before: string;
    do {
      before = sent();
      await pause(QUIET_MS);
    } while (sent() !== before);
  }

  /**
   * Requests take relays while a path is looked for in vain, and wait for nothing; then no more datagrams are sent,
   * whatever is asked for. Returns the reason.
   */
  async givenUp(): Promise<unknown> {
    expect(await this.waysOf(3)).to.deep.equal(['relay', 'relay', 'relay']);
    expect(this.outcomes, 'it is looked for still').to.deep.equal([]);
    const reason = await this.settled();
    await this.quiet();
    const sent = this.#counted.map((host) => this.udpOf(host, 'sent'));
    expect(await this.waysOf(2)).to.deep.equal(['relay', 'relay']);
    expect(this.#counted.map((host) => this.udpOf(host, 'sent'))).to.deep.equal(sent);
    return reason;
  }

  /** Downloads so many bytes, and compares their hash. */
  async download(count: number): Promise<Download> {
    const script = `set -o pipefail; ${this.#curl.join(' ')} ${this.url}bytes/${count} | sha256sum`;
    const startedAt = performance.now();
    const { status, output } = await this.network.start('entry', 'bash', '-c', script);
    const endedAt = performance.now();
    const isRight = status === 0 && output.includes(hashOf(count));
    return { status, isRight, endedAt, seconds: (endedAt - startedAt) / 1_000 };
  }

  /** What `nws doctor` finds about a direct path to the exit, and about each STUN server then. */
  async doctor(
    ...argv: readonly string[]
  ): Promise<{ status?: string; found?: string; hint?: string; servers: string[] }> {
    const host = new URL(this.url).hostname;
    const flags = ['doctor', host, '--json', ...argv];
    const { checks } = (await this.network
      .nws('entry', this.folder, ...flags)
      .ready()) as unknown as {
      readonly checks: readonly { check: string; status: string; found: string; hint?: string }[];
    };
    const servers = checks.filter(({ check }) => check === 'stun').map(({ found }) => found);
    return { ...checks.find(({ check }) => check === 'direct'), servers };
  }

  /** Waits until a megabyte or so has come through the path. */
  async busy(): Promise<void> {
    const received = (): number => {
      const text = this.network.run(
        'entry',
        'cat',
        '/sys/class/net/entry-home/statistics/rx_bytes',
      );
      return Number(text);
    };
    const before = received();
    await until(() => received() > before + 1_000_000);
  }

  /** Events that the relay has taken so far. */
  get events(): number {
    const sums = this.network.run('relay', 'curl', '-sS', 'http://127.0.0.1:7778/');
    return (JSON.parse(sums) as { events: number }).events;
  }

  async close(): Promise<void> {
    this.network.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
