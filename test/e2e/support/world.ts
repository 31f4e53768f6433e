// Everything in one process and everything real: relay, exit and entry as the library starts them, on loopback.

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  createExit,
  createProxy,
  createSigner,
  generateSecretKey,
  type MemoryRelay,
  type ProxyOptions,
  type RunningExit,
  type RunningProxy,
} from '../../../src/index.js';
import type { RelayBehaviour } from '../../../src/relay/embedded/behaviour.js';
import { type CurlResult, curl } from '../../proxy/curl.js';
import {
  asTestRelay,
  embeddedIn,
  startTestRelay,
  type TestRelay,
} from '../../support/test-relay.js';
import { until } from '../../support/until.js';
import { type Transfer, tool, transfer } from './tools.js';

export interface WorldOptions {
  /** What the exit serves; without one there is no exit. */
  readonly target?: string;
  /** Of the embedded relay. */
  readonly behaviour?: Partial<RelayBehaviour>;
  /** For the exit instead of the world's own relay. */
  readonly relayUrl?: string;
  readonly proxy?: Partial<ProxyOptions>;
  readonly exit?: Partial<Parameters<typeof createExit>[0]>;
}

export class World {
  readonly home: string;
  readonly signer = createSigner(generateSecretKey());
  proxy!: RunningProxy;
  /** The exit, if `target` was given. */
  exit!: RunningExit;
  readonly #options: WorldOptions;
  #exits: RunningExit[] = [];
  #relay!: TestRelay;

  private constructor(home: string, options: WorldOptions) {
    this.home = home;
    this.#options = options;
  }

  static async start(options: WorldOptions = {}): Promise<World> {
    const world = new World(await mkdtemp(join(tmpdir(), 'nws-e2e-')), options);
    const { behaviour, target } = options;
    world.#relay = await startTestRelay({ behaviour });
    if (target !== undefined) world.exit = await world.startExit(target);
    await world.startProxy();
    return world;
  }

  get relayUrl(): string {
    return this.#relay.url;
  }

  /** The embedded relay, for tests inside of `onEmbeddedRelay`. */
  get relay(): MemoryRelay {
    return embeddedIn(this.#relay);
  }

  set relay(relay: MemoryRelay) {
    this.#relay = asTestRelay(relay);
  }

  /** An exit with the key and the files of this world's exit. */
  async startExit(target: string): Promise<RunningExit> {
    const { signer, relayUrl } = this;
    const relays = [this.#options.relayUrl ?? relayUrl];
    const home = join(this.home, 'exit');
    const exit = await createExit({ home, signer, relays, target, ...this.#options.exit });
    this.#exits.push(exit);
    return exit;
  }

  async startProxy(options: Partial<ProxyOptions> = {}): Promise<void> {
    const home = join(this.home, 'proxy');
    // Streams are counted here, and those in advance would count.
    const none = { preconnect: false };
    this.proxy = await createProxy({ home, ...none, ...this.#options.proxy, ...options });
  }

  /** `https://<name of the exit>/path` */
  https(path: string): string {
    return `https://${this.exit.domain}${path}`;
  }

  http(path: string): string {
    return `http://${this.exit.domain}${path}`;
  }

  /** curl as users run it: with the proxy and its CA, and without --insecure. */
  curl(...args: string[]): Promise<CurlResult> {
    return curl(...this.#curlOptions, '--max-time', '60', ...args);
  }

  /** curl for answers that are too large to keep. */
  transfer(...args: string[]): Promise<Transfer> {
    return transfer(...this.#curlOptions, ...args);
  }

  /** curl whose streams the test holds in its own hands. */
  startCurl(...args: string[]): ChildProcessWithoutNullStreams {
    return tool('curl', ['-q', '-sS', ...this.#curlOptions, ...args]);
  }

  /** A connection through CONNECT, with the 200 behind it. */
  async connect(host = this.exit.domain, port = 22): Promise<Socket> {
    const at = new URL(this.proxy.url);
    const socket = connect({ host: at.hostname, port: Number(at.port), allowHalfOpen: true });
    socket.on('error', () => undefined).write(`CONNECT ${host}:${port} HTTP/1.1\r\n\r\n`);
    expect(await readHead(socket)).to.match(/^HTTP\/1\.1 200 /);
    return socket;
  }

  /** Resolves when no stream and no client is left on either side. */
  async quiet(): Promise<void> {
    const exits = this.#exits;
    await until(
      () =>
        this.proxy.streams + this.proxy.connections === 0 &&
        exits.every(({ streams }) => streams === 0),
    );
  }

  async close(): Promise<void> {
    await this.proxy.close(0);
    await Promise.all(this.#exits.map((exit) => exit.close(0)));
    await this.#relay.close();
    await rm(this.home, { recursive: true, force: true });
  }

  get #curlOptions(): string[] {
    // By HTTP/1.1, whose heads say more; a test that is about another version says so behind this.
    return ['--proxy', this.proxy.url, '--cacert', this.proxy.caPath, '--http1.1'];
  }
}

/** Reads up to the empty line, and leaves the rest. */
async function readHead(socket: Socket): Promise<string> {
  let head = '';
  while (!head.endsWith('\r\n\r\n')) {
    const byte = socket.read(1) as Buffer | null;
    if (byte === null) await once(socket, 'readable');
    else head += byte.toString('latin1');
  }
  return head;
}
