// For tests of TLS on top of a reverse connection: both sides of one, somebody in the middle, and TLS put on them.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls, createSecureContext, TLSSocket } from 'node:tls';
import { prepareTlsOverStreams, tlsOver } from '../../../src/common/tls-over-streams.js';
import { privatePem } from '../../../src/tls/files/key-file.js';
import { SecuredStream } from '../../../src/tunnel/secured/stream.js';
import { until } from '../../support/until.js';
import { selfSigned } from '../../tls/support.js';
import { Middle, newSecret, Scene } from './support.js';

export type Side = 'entry' | 'exit';
export type Put = (stream: Duplex, make: (below: Duplex) => TLSSocket) => TLSSocket;

/** Both ways that TLS can get its bytes. */
export const shapes: Readonly<Record<string, Put>> = {
  'below JavaScript': tlsOver,
  'through the stream': (stream, make) => make(stream),
};

export const other = (side: Side): Side => (side === 'entry' ? 'exit' : 'entry');

const pair = selfSigned();
const secureContext = createSecureContext({
  cert: pair.certificate.toString(),
  key: privatePem(pair),
});

export const server = (below: Duplex): TLSSocket =>
  new TLSSocket(below, { isServer: true, secureContext });
export const client = (below: Duplex): TLSSocket =>
  connectTls({ socket: below as Socket, rejectUnauthorized: false });

export class Stacked {
  readonly scene: Scene;
  readonly middle: Middle;
  readonly #put: Put;
  streams!: Record<Side, SecuredStream>;
  tops!: Record<Side, TLSSocket>;

  private constructor(scene: Scene, middle: Middle, put: Put) {
    this.scene = scene;
    this.middle = middle;
    this.#put = put;
  }

  static async start(put: Put): Promise<Stacked> {
    prepareTlsOverStreams();
    const scene = await Scene.start();
    const stacked = new Stacked(scene, await Middle.start(scene), put);
    await stacked.connect();
    return stacked;
  }

  /** Another connection instead of the one before. @param isDirect with nobody in the middle */
  async connect(isDirect = false): Promise<void> {
    for (const stream of Object.values(this.streams ?? {})) stream.destroy();
    const socket = await this.scene.dial(isDirect ? {} : { port: this.middle.port });
    const { entry, exit } = await this.scene.pair(newSecret(), socket);
    this.streams = { entry: new SecuredStream(entry), exit: new SecuredStream(exit) };
  }

  /** Puts TLS on a side: as it is tested, or over `under`. Its errors show as its `close`, too. */
  put(side: Side, under?: Duplex): TLSSocket {
    const make = side === 'entry' ? client : server;
    const top = under === undefined ? this.#put(this.streams[side], make) : make(under);
    return top.on('error', () => undefined);
  }

  /** TLS on both sides, which has carried a word. @param under what the side that isn't tested runs over */
  async handshake(tested?: Side, under?: Duplex): Promise<void> {
    const putOn = (side: Side): TLSSocket => this.put(side, side === tested ? undefined : under);
    const tops = { exit: putOn('exit'), entry: putOn('entry') };
    this.tops = tops;
    await once(tops.entry, 'secureConnect');
    tops.entry.write('?');
    await once(tops.exit, 'readable');
    if (String(tops.exit.read()) !== '?') throw new Error('something else arrived');
  }

  async close(): Promise<void> {
    const streams = Object.values(this.streams);
    for (const stream of streams) stream.destroy();
    await this.scene.close();
    await this.middle.close();
    await until(() => streams.every(({ closed }) => closed));
  }
}

/** Passes everything on but the end, and holds writes back when it is told to. */
export class Endless extends Duplex {
  readonly #under: Duplex;
  readonly #held: Buffer[] = [];
  /** So many writes pass at once. */
  #passes = Number.POSITIVE_INFINITY;

  constructor(under: Duplex) {
    super({ allowHalfOpen: true });
    this.#under = under;
    under.on('data', (data: Buffer) => this.push(data));
    under.once('end', () => this.push(null));
    under.once('close', () => this.destroy());
  }

  override _read(): void {
    // pushed as it comes
  }

  override _write(data: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#passes === 0) this.#held.push(data);
    else this.#under.write(data);
    this.#passes = Math.max(0, this.#passes - 1);
    done();
  }

  hold(passes: number): void {
    this.#passes = passes;
  }

  release(): void {
    this.#passes = Number.POSITIVE_INFINITY;
    for (const data of this.#held.splice(0)) this.#under.write(data);
  }
}
