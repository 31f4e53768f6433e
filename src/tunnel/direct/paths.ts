// All attempts and paths of a process, by their names on the wire: hands each datagram to the one that it is for.

import type { Logger } from 'pino';
import type { Endpoint } from '../../protocol/direct/endpoint.js';
import { pathOfProbe } from '../../protocol/direct/probe.js';
import { WindowPool } from '../../protocol/direct/window.js';
import { Candidates } from './meeting/candidates.js';
import { type Judge, judgeOf } from './meeting/judge.js';
import { StunClient } from './meeting/stun-client.js';
import type { DirectOptions } from './options.js';
import { DirectSocket } from './socket.js';

/** Attempts and paths at once. */
export const MAX_PATHS = 512;
/** What the windows of all streams may grow by, beyond the first 128 KiB of each. */
const WINDOW_BYTES = 64 * 1024 * 1024;
/** How often the addresses of this machine are looked at. */
const NETWORK_TICK_MS = 2_000;

interface Receiver {
  receive(bytes: Buffer, from: Endpoint): void;
  close(reason: string): void;
}

export class Paths {
  readonly socket: DirectSocket;
  readonly candidates: Candidates;
  readonly judge: Judge;
  readonly pool = new WindowPool(WINDOW_BYTES);
  readonly log: Logger;
  readonly #stun: StunClient;
  readonly #byId = new Map<string, Receiver>();
  readonly #network: NodeJS.Timeout;
  #addresses: string;

  private constructor(socket: DirectSocket, options: DirectOptions, onNetwork: () => void) {
    const { settings, judge, ownAddresses, log } = options;
    this.socket = socket;
    this.log = log;
    this.judge = judgeOf(judge, settings.local, ownAddresses);
    this.#stun = new StunClient(socket);
    this.candidates = new Candidates({
      stun: this.#stun,
      servers: settings.stun,
      address: settings.address,
      local: settings.local ? ownAddresses : undefined,
      port: socket.port,
    });
    socket.onDatagram((bytes, from) => this.#receive(bytes, from));
    this.#addresses = ownAddresses().join();
    this.#network = setInterval(() => {
      const addresses = ownAddresses().join();
      if (addresses === this.#addresses) return;
      this.#addresses = addresses;
      this.candidates.forget();
      onNetwork();
    }, NETWORK_TICK_MS).unref();
  }

  /**
   * @param onNetwork this machine's addresses have changed
   * @throws NwsError `bad_config` without udx-native, `address_in_use`
   */
  static async open(options: DirectOptions, onNetwork: () => void): Promise<Paths> {
    const { settings, log } = options;
    const listen = settings.listen ?? { port: settings.address?.port ?? 0 };
    return new Paths(await DirectSocket.open(listen, log), options, onNetwork);
  }

  get isFull(): boolean {
    return this.#byId.size >= MAX_PATHS;
  }

  /** Takes the place of whatever had this id before. */
  set(id: string, receiver: Receiver): void {
    this.#byId.set(id, receiver);
  }

  /** @param receiver does nothing where another one has the id by now */
  delete(id: string, receiver: Receiver): void {
    if (this.#byId.get(id) === receiver) this.#byId.delete(id);
  }

  async close(): Promise<void> {
    clearInterval(this.#network);
    this.#stun.close();
    for (const receiver of [...this.#byId.values()]) receiver.close('this side is shutting down');
    this.#byId.clear();
    await this.socket.close();
  }

  #receive(bytes: Buffer, from: Endpoint): boolean {
    const id = pathOfProbe(bytes);
    const receiver = id === undefined ? undefined : this.#byId.get(id);
    receiver?.receive(bytes, from);
    return receiver !== undefined;
  }
}
