// Relay, exit, entry and a web server behind them, each a process, and curl in front.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { deadPort } from '../support/servers.js';
import { Part } from './parts/part.js';
import { Witness } from './parts/witness.js';

/** What `--behave` takes, switches of the embedded relay as JSON, or the URL of another relay. */
export type RelayKind = 'plain' | 'strfry' | `{${string}}` | `ws${string}`;

export interface WorldOptions {
  readonly relay: RelayKind;
  /** How many of the embedded kind; one by default. */
  readonly relays?: number;
  /** Whether all of it does without machine code for the curve. */
  readonly wasm?: boolean;
  /** Whether exits may connect to the entry (CONNECTR). */
  readonly reverse?: boolean;
  /** Whether exit and entry look for a direct path. */
  readonly direct?: boolean;
  /** Another checkout of nws, built: its relay, exit and entry. */
  readonly root?: string | undefined;
  /** What the exit serves; default: a web server. */
  readonly target?: 'target' | 'echo';
}

export class World {
  readonly relayUrl: string;
  readonly exit: Part;
  /** Undefined for another relay than the embedded one. */
  readonly relay: Part | undefined;
  proxy: Part;
  readonly #folder: string;
  readonly #target: Part;
  /** Beside `relay`. */
  readonly #others: readonly Part[];
  readonly #options: WorldOptions;
  #witness: Witness | undefined;

  private constructor(
    parts: Record<'exit' | 'proxy' | 'target', Part> & {
      relay: Part | undefined;
      others: readonly Part[];
      relayUrl: string;
    },
    folder: string,
    options: WorldOptions,
  ) {
    this.relay = parts.relay;
    this.#others = parts.others;
    this.relayUrl = parts.relayUrl;
    this.exit = parts.exit;
    this.proxy = parts.proxy;
    this.#target = parts.target;
    this.#folder = folder;
    this.#options = options;
  }

  static async start(options: WorldOptions): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), 'nws-bench-'));
    const { wasm = false, root } = options;
    const relayArgv = [options.relay, ...(root === undefined ? [] : [root])];
    const isEmbedded = !options.relay.startsWith('ws');
    const [relay, target] = await Promise.all([
      isEmbedded ? Part.script('relay', relayArgv, { wasm }) : undefined,
      Part.script(options.target ?? 'target', []),
    ]);
    const relayUrl = relay?.ready.url ?? options.relay;
    const home = join(folder, 'exit');
    await mkdir(home);
    const others: Part[] = [];
    while (others.length + 1 < (options.relays ?? 1)) {
      others.push(await Part.script('relay', relayArgv, { wasm }));
    }
    const further = others.flatMap(({ ready }) => ['--relay', ready.url!]);
    const argv = ['exit', '--target', target.ready.url!, '--relay', relayUrl, ...further];
    const allow = options.reverse ? ['--allow', '127.0.0.1:1-65535'] : [];
    const flags = [...allow, ...directFlags(options)];
    const starting = Part.program([...argv, ...flags], { home, wasm, root });
    const proxy = await World.#startProxy(folder, options);
    const exit = await starting;
    return new World({ relay, others, relayUrl, exit, proxy, target }, folder, options);
  }

  /** One that knows no exit yet, instead of the one before. */
  async startProxy(): Promise<void> {
    await this.proxy.end();
    this.proxy = await World.#startProxy(this.#folder, this.#options);
  }

  static async #startProxy(folder: string, options: WorldOptions): Promise<Part> {
    const { reverse, wasm = false, root } = options;
    const home = await mkdtemp(join(folder, 'proxy-'));
    const at = `127.0.0.1:${await deadPort()}`;
    const reachable = reverse ? ['--public-address', at, '--reverse-listen', at] : [];
    const flags = [...reachable, ...directFlags(options)];
    return Part.program(['proxy', '--listen', '127.0.0.1:0', ...flags], { home, wasm, root });
  }

  /** The web server's own address. */
  get targetUrl(): string {
    return this.#target.ready.url!;
  }

  url(path: string, scheme: 'http' | 'https' = 'https'): string {
    return `${scheme}://${this.exit.ready.domain}${path}`;
  }

  /** curl through the entry. @returns what it wrote */
  curl(...argv: string[]): Promise<string> {
    const { listen, ca } = this.proxy.ready;
    return curl('--proxy', listen!, '--cacert', ca!, ...argv);
  }

  /** The first stream is what finds out about the exit; a direct path stands as soon as a page costs the relay nothing. */
  async findsWay(): Promise<void> {
    let before: number;
    do {
      before = await this.events();
      await this.curl('-o', '/dev/null', this.url('/1'));
    } while (this.#options.direct && (await this.events()) > before);
  }

  /** A file of so many zeros. */
  async file(bytes: number): Promise<string> {
    const path = join(this.#folder, `upload-${bytes}`);
    await writeFile(path, '');
    await truncate(path, bytes);
    return path;
  }

  /** Events that the relays took until now. Another relay than the embedded one is listened to from now on. */
  async events(): Promise<number> {
    if (this.relay !== undefined) {
      let sum = 0;
      for (const relay of [this.relay, ...this.#others]) {
        sum += (await relay.ask<{ events: number }>('events', 'events')).events;
      }
      return sum;
    }
    this.#witness ??= await Witness.at(this.relayUrl);
    return this.#witness.events;
  }

  /** CPU-seconds until now, by process. */
  async cpuSeconds(): Promise<Record<string, number>> {
    const parts = { relay: this.relay, exit: this.exit, proxy: this.proxy };
    const seconds: Record<string, number> = {};
    for (const [name, part] of Object.entries(parts)) {
      if (part !== undefined) seconds[name] = (await part.usage()).cpuSeconds;
    }
    return seconds;
  }

  async close(): Promise<void> {
    this.#witness?.close();
    const parts = [this.proxy, this.exit, this.relay, ...this.#others, this.#target];
    await Promise.all(parts.map((part) => part?.end()));
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function directFlags({ direct }: WorldOptions): string[] {
  return direct ? ['--direct', '--direct-local'] : [];
}

/** curl by itself, without its user's settings. @throws Error with what it complains about */
export async function curl(...argv: string[]): Promise<string> {
  const options = ['-q', '-sS', '--fail', '--http1.1', '--max-time', '900'];
  const child = spawn('curl', [...options, ...argv], { env: { PATH: process.env.PATH } });
  const [said, complaints, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ]);
  if (status !== 0) throw new Error(`curl: ${complaints.trim()}`);
  return said;
}
