// An entry with everything real but the tunnel and the relays: streams are TCP connections to a loopback
// port, and certificate events come from a list. For the tests of this folder.

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Event as NostrEvent } from 'nostr-tools';
import { type Logger, pino } from 'pino';
import { createSigner, generateSecretKey } from '../../src/crypto/signer.js';
import type { NwsError } from '../../src/errors.js';
import { Authenticator, type Credentials } from '../../src/http/auth/auth.js';
import { encodeName } from '../../src/protocol/names/address.js';
import { encodeBase32 } from '../../src/protocol/names/base32.js';
import { certificateEvent } from '../../src/protocol/wire/events.js';
import { Spares } from '../../src/proxy/advance/spares.js';
import type { Entry } from '../../src/proxy/entry.js';
import { Listener } from '../../src/proxy/listener.js';
import { HostResolver } from '../../src/proxy/resolve.js';
import { routes } from '../../src/proxy/routes.js';
import { localPages } from '../../src/proxy/status/local-pages.js';
import { PinnedDialer } from '../../src/proxy/tls/pinned.js';
import { ShownPins } from '../../src/proxy/tls/shown-pins.js';
import { Forwarder } from '../../src/proxy/ways/absolute-form.js';
import { type LocalAuthority, openAuthority } from '../../src/tls/authority/authority.js';
import { type ExitCertificate, openExitCertificate } from '../../src/tls/certificate.js';
import { PinResolver, PinStore } from '../../src/tls/pins/pins.js';
import { Failures } from '../../src/tunnel/accounts/failures.js';
import { subject } from '../support/subject.js';
import { until } from '../support/until.js';

export const silent: Logger = pino({ level: 'silent' });
export const RELAY = 'ws://127.0.0.1:7777';

/** An exit as the entry sees it: a key, a name and a certificate that it may publish. */
export class FakeExit {
  readonly #signer = createSigner(generateSecretKey());
  readonly pubkey = this.#signer.pubkey;
  readonly host: string;

  /** @param relay of any length: the proxy is handed names that no DNS would take */
  constructor(relay = RELAY) {
    const key = encodeName({ pubkey: this.pubkey, relays: [] });
    this.host = `${encodeBase32(Buffer.from(relay))}.${key}`;
  }

  /** The event of kind 38334 for a certificate. */
  publish({ cert, fingerprint }: ExitCertificate, createdAt = nowS()): NostrEvent {
    return this.#signer.sign(certificateEvent(cert, this.pubkey, fingerprint, createdAt));
  }
}

function nowS(): number {
  return Math.floor(Date.now() / 1000);
}

export interface TestEntryOptions {
  /** Where streams end. */
  port?: number;
  tls?: 'terminate' | 'passthrough';
  clearnet?: Entry['clearnet'];
  /** For `clearnet: 'exit'`. */
  exits?: Entry['exits'];
  upstreamFor?: Entry['upstreamFor'];
  requirePin?: boolean;
  /** What clients have to say; default: nothing. */
  auth?: Credentials;
  /** Opens streams in place of TCP to `port`. */
  open?: Entry['open'];
  aliases?: ReadonlyMap<string, string>;
  obstacle?: () => string | undefined;
  preconnect?: boolean;
  /** Default: silent. */
  log?: Logger;
}

/** Change `port`, `events` and `failure` at any time. */
export class TestEntry {
  /** Where streams end. */
  port: number;
  /** What relays hold. */
  events: NostrEvent[] = [];
  /** Why no stream can be opened, if so. */
  failure: NwsError | undefined;
  /** Streams are opened when this settles. */
  gate: Promise<void> = Promise.resolve();
  /** What was asked for: `name:port`. */
  readonly opened: string[] = [];
  /** Streams that aren't closed. */
  readonly streams = new Set<Socket>();
  readonly home = mkdtempSync(join(tmpdir(), 'nws-proxy-'));
  listener!: Listener;
  proxyPort = 0;
  authority!: LocalAuthority;
  spares: Spares | undefined;
  #forwarder!: Forwarder;

  private constructor(port: number) {
    this.port = port;
  }

  static async start(options: TestEntryOptions = {}): Promise<TestEntry> {
    const test = new TestEntry(options.port ?? 0);
    await test.#start(options);
    return test;
  }

  get url(): string {
    return `http://127.0.0.1:${this.proxyPort}`;
  }

  /** A connection to the proxy's port, or another. */
  async dial(port = this.proxyPort): Promise<Socket> {
    const options = { port, host: '127.0.0.1', allowHalfOpen: true };
    const socket = connect(options).on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  }

  /** A connection through CONNECT, with the 200 behind it. */
  async tunnelled(host: string, port = 443): Promise<Socket> {
    const socket = await this.dial();
    socket.write(`CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).to.match(/^HTTP\/1\.1 200 .*\r\n\r\n$/);
    return socket;
  }

  /** A certificate of its own for an exit, kept apart from all others. */
  certificateFor(exit: FakeExit, folder = 'exit'): Promise<ExitCertificate> {
    return openExitCertificate(join(this.home, folder), exit.pubkey, [exit.host]);
  }

  async close(): Promise<void> {
    await this.listener.close(0);
    await this.#forwarder.close();
    this.spares?.close();
    rmSync(this.home, { recursive: true });
  }

  async #start(options: TestEntryOptions): Promise<void> {
    this.authority = await openAuthority(this.home);
    const entry = await this.#entry(options);
    const obstacle = options.obstacle ?? (() => undefined);
    this.#forwarder = new Forwarder(entry);
    const pages = localPages({ caPem: this.authority.pem, subject: subject({ obstacle }) });
    const authenticator = options.auth && new Authenticator(options.auth, silent);
    this.listener = new Listener(routes(entry, this.#forwarder, pages, authenticator));
    this.proxyPort = (await this.listener.listen({ host: '127.0.0.1', port: 0 })).port;
  }

  async #entry(options: TestEntryOptions): Promise<Entry> {
    const source = { query: async () => this.events };
    const store = await PinStore.open(this.home);
    const { requirePin = false, tls = 'terminate', clearnet = 'direct', aliases, exits } = options;
    const direct: Entry['open'] = (to, port) => this.#open(`${to.destination}:${port}`);
    const open = options.open ?? direct;
    const pins = new PinResolver({ store, source, log: silent });
    const pinned = new PinnedDialer({ open, pins, requirePin });
    if (options.preconnect)
      this.spares = new Spares((route, signal) =>
        pinned.connect({ ...route, port: route.at.port, signal }),
      );
    const named = { relays: [], aliases: aliases ?? new Map(), log: silent };
    return {
      resolver: new HostResolver({ ...named, events: { query: async () => [] } }),
      open,
      pinned,
      spares: this.spares,
      authority: this.authority,
      shown: new ShownPins(),
      failures: new Failures(),
      tls,
      clearnet,
      exits,
      upstreamFor: options.upstreamFor,
      log: options.log ?? silent,
    };
  }

  async #open(destination: string): Promise<Socket> {
    this.opened.push(destination);
    await this.gate;
    if (this.failure !== undefined) throw this.failure;
    const stream = connect({ port: this.port, host: '127.0.0.1', allowHalfOpen: true });
    this.streams.add(stream);
    stream.once('close', () => this.streams.delete(stream));
    await once(stream, 'connect');
    return stream;
  }
}

/** Waits until a count is zero; the test's own time-out ends a wait in vain. */
export function settled(count: () => number): Promise<void> {
  return until(() => count() === 0);
}
