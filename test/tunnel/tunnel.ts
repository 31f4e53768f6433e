// An entry's and an exit's session over embedded relays, for the tests of this room.

import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { type Logger, pino } from 'pino';
import { createSigner, generateSecretKey, type Signer } from '../../src/crypto/signer.js';
import type { MemoryRelay, MemoryRelayOptions } from '../../src/relay/embedded/memory-relay.js';
import { RelayPool } from '../../src/relay/pool.js';
import { type IncomingStream, type OpenOptions, Session } from '../../src/tunnel/session.js';
import { embeddedIn, startTestRelay, type TestRelay } from '../support/test-relay.js';

const silentLog = pino({ level: 'silent' });

/** What both sides had to say from `info` on. */
export type Line = Readonly<Record<string, unknown>> & { readonly msg: string };

export interface Side {
  readonly session: Session;
  readonly pool: RelayPool;
  close(): Promise<void>;
}

/**
 * @param version of reliable streams, up to which it speaks them; default, here and below: the newest
 * @param maxStreams at once
 */
export function entrySide(log: Logger = silentLog, version?: number, maxStreams?: number): Side {
  const pool: RelayPool = new RelayPool({ log, authSigners: (url) => session.relaySigners(url) });
  const session: Session = new Session({ pool, log, version, maxStreams });
  return side(session, pool);
}

export async function exitSide(
  signer: Signer,
  relays: readonly string[],
  onIncoming: (incoming: IncomingStream) => void,
  log: Logger = silentLog,
  version?: number,
  maxStreams?: number,
): Promise<Side> {
  const pool = new RelayPool({ log, authSigners: () => [signer] });
  const session = new Session({ pool, log, signer, relays, version, onIncoming, maxStreams });
  await session.start();
  return side(session, pool);
}

function side(session: Session, pool: RelayPool): Side {
  const close = async (): Promise<void> => {
    await session.close(0);
    await pool.close();
  };
  return { session, pool, close };
}

/** Both sides on one relay; the exit does with each stream what it is told, by default echoes. */
export class Tunnel {
  serve: (stream: Duplex) => void = (stream) => stream.pipe(stream);
  onIncoming: (incoming: IncomingStream) => void = (incoming) => {
    const stream = incoming.accept();
    stream.on('error', () => undefined);
    this.serve(stream);
  };
  readonly signer = createSigner(generateSecretKey());
  readonly lines: Line[] = [];
  readonly #log = pino({ level: 'info' }, { write: (line) => this.lines.push(JSON.parse(line)) });
  #maxStreams: number | undefined;
  #relay!: TestRelay;
  entry!: Side;
  exit!: Side;

  /** @param maxStreams of each side */
  static async start(
    options: MemoryRelayOptions = {},
    versions: { readonly entry?: number; readonly exit?: number } = {},
    maxStreams?: number,
  ): Promise<Tunnel> {
    const tunnel = new Tunnel();
    tunnel.#maxStreams = maxStreams;
    tunnel.#relay = await startTestRelay(options);
    tunnel.entry = entrySide(tunnel.#log, versions.entry, maxStreams);
    await tunnel.startExit(versions.exit);
    return tunnel;
  }

  get url(): string {
    return this.#relay.url;
  }

  /** The embedded relay, for tests inside of `onEmbeddedRelay`. */
  get relay(): MemoryRelay {
    return embeddedIn(this.#relay);
  }

  async startExit(version?: number): Promise<void> {
    const { signer, url } = this;
    const onIncoming = (incoming: IncomingStream): void => this.onIncoming(incoming);
    this.exit = await exitSide(signer, [url], onIncoming, this.#log, version, this.#maxStreams);
  }

  /** Opens a stream; its errors are left to whoever awaits something of it. */
  async open(options: Partial<OpenOptions> = {}): Promise<Duplex> {
    const { stream } = await this.entry.session.open({
      peer: this.signer.pubkey,
      relays: [this.url],
      destination: 'x.nostr:443',
      ...options,
    });
    return stream.on('error', () => undefined);
  }

  get streams(): number {
    return this.entry.session.streams + this.exit.session.streams;
  }

  async close(): Promise<void> {
    await Promise.all([this.entry.close(), this.exit.close()]);
    await this.#relay.close();
  }
}

export async function closed(stream: Duplex): Promise<void> {
  if (!stream.closed) await once(stream, 'close');
}
