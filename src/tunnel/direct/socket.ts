// The one UDP socket of a process for direct paths: datagrams in and out, and the ids of streams on it. What a
// datagram means is its receivers' matter.

import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { NwsError } from '../../errors.js';
import { type Endpoint, endpointOf } from '../../protocol/direct/endpoint.js';
import { loadUdx, type Udx, type UdxFrom, type UdxSocket, type UdxStream } from './udx.js';

/** The system takes less where it allows less. */
const BUFFER_BYTES = 4 * 1024 * 1024;
/** UDX finds streams by the last bits of their ids: no two ids have the same ones. */
const SLOTS = 65_536;
/** Streams at once, control streams included. */
const MAX_STREAMS = SLOTS / 4;

/** Takes a datagram; returns whether it was meant for it. */
export type DatagramReceiver = (bytes: Buffer, from: Endpoint) => boolean;

/** Where a UDP socket is bound. */
export interface SocketAddress {
  /** An address of this machine; default: all. */
  readonly host?: string | undefined;
  /** 0: a free one. */
  readonly port: number;
}

export class DirectSocket {
  readonly #udx: Udx;
  readonly #socket: UdxSocket;
  readonly #receivers = new Set<DatagramReceiver>();
  readonly #slots = new Set<number>();
  #strays = 0;
  #isClosed = false;

  private constructor(udx: Udx, log: Logger) {
    this.#udx = udx;
    this.#socket = udx.createSocket();
    this.#socket.on('message', (bytes: Buffer, from: UdxFrom) => this.#take(bytes, from));
    this.#socket.on('error', (err) => log.debug({ err }, 'the UDP socket failed'));
  }

  /**
   * @param listen host absent: every address of this machine, IPv6 and IPv4
   * @throws NwsError `bad_config` without udx-native; `address_in_use`
   */
  static async open(listen: SocketAddress, log: Logger): Promise<DirectSocket> {
    const socket = new DirectSocket(await loadUdx(), log);
    try {
      socket.#socket.bind(listen.port, listen.host);
    } catch (cause) {
      const where = listen.host === undefined ? '' : ` on ${listen.host}`;
      throw new NwsError('address_in_use', `UDP port ${listen.port}${where} can't be used`, {
        cause,
        hint: 'stop what uses it, or choose another with --direct-listen',
      });
    }
    for (const set of ['setRecvBufferSize', 'setSendBufferSize'] as const) {
      try {
        socket.#socket[set](BUFFER_BYTES);
      } catch {
        // Then it stays as the system makes it.
      }
    }
    return socket;
  }

  /** The port that it is bound to. */
  get port(): number {
    return this.#socket.address()?.port ?? 0;
  }

  /** Datagrams so far that nobody was waiting for. */
  get strays(): number {
    return this.#strays;
  }

  onDatagram(receiver: DatagramReceiver): void {
    this.#receivers.add(receiver);
  }

  send(bytes: Buffer, { address, port }: Endpoint): void {
    if (!this.#isClosed) this.#socket.trySend(bytes, port, address);
  }

  /** A fresh stream's id: random, so that nobody off the path knows it. @throws NwsError `connection_limit_reached` */
  newId(): number {
    if (this.#slots.size >= MAX_STREAMS) {
      throw new NwsError('connection_limit_reached', 'too many streams go over direct paths');
    }
    for (;;) {
      const id = randomBytes(4).readUInt32BE();
      const slot = id % SLOTS;
      if (id === 0 || this.#slots.has(slot)) continue;
      this.#slots.add(slot);
      return id;
    }
  }

  /** The id isn't used any more, or never was. */
  release(id: number): void {
    this.#slots.delete(id % SLOTS);
  }

  /** A stream of this id to the other side's. The id is free again when it closes. */
  connect(id: number, remoteId: number, { address, port }: Endpoint): UdxStream {
    const stream = this.#udx.createStream(id);
    stream.on('error', () => undefined);
    stream.once('close', () => this.release(id));
    stream.connect(this.#socket, remoteId, port, address);
    return stream;
  }

  /** Streams have to be destroyed before. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#receivers.clear();
    await this.#socket.close();
  }

  /** Called from native code, where nothing may throw. */
  #take(bytes: Buffer, { host, port }: UdxFrom): void {
    try {
      const from = endpointOf(host, port);
      if (from === undefined) return;
      for (const receive of this.#receivers) if (receive(bytes, from)) return;
      this.#strays += 1;
    } catch {
      this.#strays += 1;
    }
  }
}
