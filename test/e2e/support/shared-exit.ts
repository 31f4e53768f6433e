// One exit that several entries use, each with a key of its own, and every line that any of them logs.

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { nsecEncode } from 'nostr-tools/nip19';
import type { Logger } from 'pino';
import {
  createExit,
  createProxy,
  createSigner,
  type ExitOptions,
  generateSecretKey,
  type ProxyOptions,
  type RunningExit,
  type RunningProxy,
} from '../../../src/index.js';
import { createLog } from '../../../src/log.js';
import { type CurlResult, curl } from '../../proxy/curl.js';
import { startTestRelay, type TestRelay } from '../../support/test-relay.js';
import { type Transfer, tool, transfer } from './tools.js';

/** A line of a log. */
export type Line = Readonly<Record<string, unknown>>;

/** Whoever has a key and writes a log. */
export class Party {
  readonly #secret = generateSecretKey();
  readonly signer = createSigner(this.#secret);
  /** Everything that was logged, as it was written. */
  text = '';
  readonly log: Logger = createLog({
    level: 'trace',
    format: 'json',
    stream: new Writable({
      write: (chunk, _encoding, done) => {
        this.text += chunk;
        done();
      },
    }),
  });

  get pubkey(): string {
    return this.signer.pubkey;
  }

  /** Its key in the forms in which it could get out. */
  get secrets(): string[] {
    const bytes = Buffer.from(this.#secret);
    return [bytes.toString('hex'), bytes.toString('base64'), nsecEncode(this.#secret)];
  }

  /** Lines whose message begins like this. */
  lines(message: string): Line[] {
    return this.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line)
      .filter(({ msg }) => String(msg).startsWith(message));
  }
}

/** An entry and the one who uses it. */
export class Guest extends Party {
  proxy!: RunningProxy;

  get #curlOptions(): string[] {
    return ['--proxy', this.proxy.url, '--cacert', this.proxy.caPath, '--http1.1'];
  }

  curl(...args: string[]): Promise<CurlResult> {
    return curl(...this.#curlOptions, ...args);
  }

  /** curl for answers that are no text. */
  transfer(...args: string[]): Promise<Transfer> {
    return transfer(...this.#curlOptions, ...args);
  }

  /** curl that runs on while the test does something else. */
  startCurl(...args: string[]): ChildProcessWithoutNullStreams {
    return tool('curl', ['-q', '-sS', ...this.#curlOptions, ...args]);
  }
}

export class SharedExit extends Party {
  readonly relay: TestRelay;
  exit!: RunningExit;
  readonly #home: string;
  readonly #guests: Guest[] = [];

  private constructor(home: string, relay: TestRelay) {
    super();
    this.#home = home;
    this.relay = relay;
  }

  /** An exit that still has to be opened. */
  static async create(): Promise<SharedExit> {
    return new SharedExit(await mkdtemp(join(tmpdir(), 'nws-shared-')), await startTestRelay());
  }

  static async start(target: string, options: Partial<ExitOptions> = {}): Promise<SharedExit> {
    const shared = await SharedExit.create();
    await shared.open(target, options);
    return shared;
  }

  async open(target: string, options: Partial<Omit<ExitOptions, 'target'>> = {}): Promise<void> {
    const { signer, log } = this;
    const relays = [this.relay.url];
    const home = join(this.#home, 'exit');
    this.exit = await createExit({ home, signer, log, relays, ...options, target });
  }

  /** An entry with a key of its own; without options, of a guest that it makes. */
  async entry(guest = new Guest(), options: Partial<ProxyOptions> = {}): Promise<Guest> {
    const { signer, log, pubkey } = guest;
    const home = join(this.#home, pubkey);
    guest.proxy = await createProxy({ home, signer, log, preconnect: false, ...options });
    this.#guests.push(guest);
    return guest;
  }

  https(path: string): string {
    return `https://${this.exit.domain}${path}`;
  }

  http(path: string): string {
    return `http://${this.exit.domain}${path}`;
  }

  async close(): Promise<void> {
    await Promise.all(this.#guests.map(({ proxy }) => proxy.close(0)));
    await this.exit.close(0);
    await this.relay.close();
    await rm(this.#home, { recursive: true, force: true });
  }
}
