// What a program has that uses the library: relay, exit, entry, and Node's own clients through it, in one process.

import { mkdtemp, rm } from 'node:fs/promises';
import type { Agent } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dispatcher } from 'undici';
import {
  createAgent,
  createDispatcher,
  createExit,
  createProxy,
  MemoryRelay,
  type RunningExit,
  type RunningProxy,
} from '../../src/index.js';
import { readAll } from '../support/read-all.js';

export class Library {
  relay!: MemoryRelay;
  /** Without a target. */
  exit!: RunningExit;
  proxy!: RunningProxy;
  dispatcher!: Dispatcher;
  agent!: Agent;
  readonly #home: string;
  readonly #exits: RunningExit[] = [];

  private constructor(home: string) {
    this.#home = home;
  }

  static async start(): Promise<Library> {
    const library = new Library(await mkdtemp(join(tmpdir(), 'nws-test-')));
    library.relay = await MemoryRelay.start({});
    library.exit = await library.startExit({});
    library.proxy = await createProxy({ home: join(library.#home, 'proxy') });
    library.dispatcher = await createDispatcher(library.proxy);
    library.agent = await createAgent(library.proxy);
    return library;
  }

  async startExit(options: { readonly target?: string }): Promise<RunningExit> {
    const relays = [this.relay.url];
    const exit = await createExit({ home: join(this.#home, 'exit'), relays, ...options });
    this.#exits.push(exit);
    return exit;
  }

  /** Bytes through CONNECT, and what comes back until the end. */
  async raw(bytes: string): Promise<string> {
    const { hostname, port } = new URL(this.proxy.url);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    socket.write(`CONNECT ${this.exit.domain}:80 HTTP/1.1\r\n\r\n${bytes}`);
    const answer = String(await readAll(socket));
    socket.end();
    return answer.slice(answer.indexOf('\r\n\r\n') + 4);
  }

  async close(): Promise<void> {
    this.agent.destroy();
    await this.dispatcher.destroy();
    await this.proxy.close(0);
    await Promise.all(this.#exits.map((exit) => exit.close(0)));
    await this.relay.close();
    await rm(this.#home, { recursive: true, force: true });
  }
}
