// Relays, an exit and an entry as processes of their own, for tests that kill, stop and restart them.

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tool } from '../../e2e/support/tools.js';
import { deadPort } from '../../support/servers.js';
import { FOREIGN_URL } from '../../support/test-relay.js';
import { Program } from './program.js';

export class Processes {
  /** Variables for the processes that are started from now on. */
  env: Readonly<Record<string, string>> = {};
  /** Files that the system lets processes open that are started from now on; default: as many as us. */
  files: number | undefined;
  exit!: Program;
  proxy!: Program;
  readonly #folder: string;
  readonly #started: Program[] = [];
  #exitArgv: readonly string[] = [];
  #isReachable = false;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(): Promise<Processes> {
    return new Processes(await mkdtemp(join(tmpdir(), 'nws-chaos-')));
  }

  /** A relay; without `--listen` among the flags on a free port. */
  relay(...flags: string[]): Promise<Program> {
    return this.#start('relay', 'relay', '--listen', '127.0.0.1:0', ...flags);
  }

  /** URL of the relay of NWS_TEST_RELAY as it is, or of an embedded one with these habits. */
  async anyRelay(...flags: string[]): Promise<string> {
    return FOREIGN_URL ?? (await this.relay(...flags)).ready.url!;
  }

  /** A relay where one that was killed used to be. */
  relayAgain(dead: Program, ...flags: string[]): Promise<Program> {
    return this.#start('relay', 'relay', '--listen', new URL(dead.ready.url!).host, ...flags);
  }

  /** Starts the exit and the entry. */
  async serve(target: string, ...relays: string[]): Promise<void> {
    const flags = relays.flatMap((url) => ['--relay', url]);
    if (this.#isReachable) flags.push('--allow', '127.0.0.1:1-65535');
    this.#exitArgv = ['exit', '--target', target, ...flags];
    await Promise.all([this.exitAgain(), this.proxyAgain()]);
  }

  /** The same with an entry that exits can connect to (CONNECTR). */
  async serveReachable(target: string, relay: string): Promise<void> {
    this.#isReachable = true;
    await this.serve(target, relay);
  }

  /** Starts the entry, on another port than before. */
  async proxyAgain(): Promise<void> {
    const at = `127.0.0.1:${this.#isReachable ? await deadPort() : 0}`;
    const reachable = this.#isReachable ? ['--public-address', at, '--reverse-listen', at] : [];
    this.proxy = await this.#start('proxy', 'proxy', '--listen', '127.0.0.1:0', ...reachable);
  }

  /** Starts the exit with the same key and settings once more. */
  async exitAgain(): Promise<void> {
    this.exit = await this.#start('exit', ...this.#exitArgv);
  }

  async #start(home: string, ...argv: string[]): Promise<Program> {
    const folder = join(this.#folder, home);
    await mkdir(folder, { recursive: true });
    const program =
      this.files === undefined
        ? await Program.startWith(this.env, folder, ...argv)
        : await Program.startWithFiles(this.files, folder, ...argv);
    this.#started.push(program);
    return program;
  }

  /** Of a page of the target, by https where the exit ends TLS. */
  url(path: string): string {
    const scheme = this.#exitArgv.some((word) => word.startsWith('tcp:')) ? 'http' : 'https';
    return `${scheme}://${this.exit.ready.domain}${path}`;
  }

  /** curl through the entry, with its CA. */
  curl(...args: string[]): ChildProcessWithoutNullStreams {
    const { listen, ca } = this.proxy.ready;
    return tool('curl', ['-q', '-sS', '--proxy', listen!, '--cacert', ca!, ...args]);
  }

  /** Asks the entry for a connection by CONNECT. */
  ask(host = this.exit.ready.domain): Socket {
    const { hostname, port } = new URL(this.proxy.ready.listen!);
    const socket = connectTcp({ host: hostname, port: Number(port), allowHalfOpen: true });
    socket.on('error', () => undefined).write(`CONNECT ${host}:80 HTTP/1.1\r\n\r\n`);
    return socket;
  }

  /** A connection by CONNECT, when it is open. */
  async connect(host?: string): Promise<Socket> {
    const socket = this.ask(host);
    const [head] = (await once(socket, 'data')) as [Buffer];
    if (!/^HTTP\/1\.1 200 [^\n]*\r\n\r\n$/.test(String(head))) throw new Error(String(head));
    return socket;
  }

  async close(): Promise<void> {
    await Promise.all(this.#started.map((program) => program.end('SIGKILL')));
    await rm(this.#folder, { recursive: true, force: true });
  }
}
