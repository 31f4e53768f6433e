// What becomes of a stream that a client asks for: within the client's bounds, where the policy lets it go, over the
// connection that the client waits for, and accounted for.
//
//   incoming ─ clients ─ policy ─┬─ own target ── HttpTarget | TcpTarget
//                                └─ elsewhere ─── dial.ts
//        CONNECTR: dial-back.ts first, and the bytes go there

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { NwsError, toNwsError } from '../errors.js';
import { MAX_STREAMS } from '../limits.js';
import { Accounts } from '../tunnel/accounts/accounts.js';
import type { IncomingStream } from '../tunnel/session.js';
import { type Client, type ClientLimits, Clients } from './clients/clients.js';
import { PacedStream } from './clients/paced-stream.js';
import { dialGuarded } from './dial/dial.js';
import { dialBack } from './dial/dial-back.js';
import type { Judgement, Policy } from './policy/policy.js';
import { RawStreams } from './targets/raw-streams.js';
import type { TargetServer } from './targets/target.js';

type Elsewhere = Extract<Judgement, { kind: 'dial' }>;

export interface AdmissionOptions {
  readonly policy: Policy;
  readonly clientLimits: ClientLimits;
  /** The exit's own target; absent where it only serves others', or is told later. */
  readonly own: TargetServer | undefined;
  /** Connections back to clients at once, of all of them. */
  readonly maxDirect?: number;
  /** Default: an account of its own. */
  readonly accounts?: Accounts;
  readonly log: Logger;
}

export class Admission {
  readonly accounts: Accounts;
  /** The exit's own target, if it has one. */
  own: TargetServer | undefined;
  readonly #options: AdmissionOptions;
  readonly #clients: Clients;
  /** To anywhere else than the own target. */
  readonly #elsewhere: RawStreams;
  /** Connections back to clients. */
  readonly #direct = new Set<Duplex>();
  #isClosed = false;

  constructor(options: AdmissionOptions) {
    this.own = options.own;
    this.#options = options;
    this.#clients = new Clients(options.clientLimits);
    this.accounts = options.accounts ?? new Accounts('exit', options.log);
    this.#elsewhere = new RawStreams(options.log);
  }

  /** Other bounds from now on. */
  update(clientLimits: ClientLimits): void {
    this.#clients.limits = clientLimits;
  }

  /** Serves the stream, or refuses it. Never throws. */
  take(incoming: IncomingStream): void {
    const { key, peer, destination } = incoming;
    try {
      const client = this.#clients.enter(peer);
      const leave = (): void => this.#clients.leave(peer);
      try {
        const judgement = this.#options.policy.judgeDestination(destination);
        void this.#serve(new Admitted(incoming, client, this.accounts, leave), judgement);
      } catch (error) {
        leave();
        throw error;
      }
    } catch (error) {
      this.accounts.refused({ stream: key, peer, destination }, toNwsError(error));
      incoming.refuse(toNwsError(error));
    }
  }

  async #serve(admitted: Admitted, judgement: Judgement): Promise<void> {
    const { own } = this;
    const { policy } = this.#options;
    try {
      if (judgement.kind === 'own-target' && own === undefined) throw noTarget();
      if (admitted.reverse !== undefined) await this.#reach(admitted, policy);
      if (judgement.kind === 'own-target') own?.serve(admitted);
      else await this.#elsewhere.serve(admitted, (signal) => this.#dial(judgement, signal));
    } catch (error) {
      admitted.refuse(toNwsError(error));
    }
  }

  #dial({ host, port }: Elsewhere, signal: AbortSignal): Promise<Socket> {
    const { policy } = this.#options;
    const judge = (address: string): void => policy.judgeAddress(host, address, port);
    return dialGuarded({ host, port, judge, signal });
  }

  async #reach(admitted: Admitted, policy: Policy): Promise<void> {
    if (this.#direct.size >= (this.#options.maxDirect ?? MAX_STREAMS)) {
      throw new NwsError('connection_limit_reached', 'this exit takes no more streams now');
    }
    const stream = await dialBack(admitted, policy);
    if (this.#isClosed) {
      stream.destroy();
      throw new NwsError('shutting_down', 'the exit is shutting down');
    }
    this.#direct.add(stream);
    stream.once('close', () => this.#direct.delete(stream));
    admitted.over(stream);
  }

  /** Streams whose bytes don't go over relays. */
  get direct(): number {
    return this.#direct.size;
  }

  /** Lets streams end by themselves for `graceMs`, then ends them. */
  async close(graceMs: number): Promise<void> {
    await Promise.all([this.own?.close(graceMs), this.#elsewhere.close(graceMs)]);
    this.#isClosed = true;
    for (const stream of this.#direct) stream.destroy();
  }
}

/** A stream that may be opened, with all that depends on how it goes on. */
class Admitted implements IncomingStream {
  readonly #incoming: IncomingStream;
  readonly #client: Client;
  readonly #accounts: Accounts;
  readonly #leave: () => void;
  #carrier: Duplex | undefined;

  constructor(incoming: IncomingStream, client: Client, accounts: Accounts, leave: () => void) {
    this.#incoming = incoming;
    this.#client = client;
    this.#accounts = accounts;
    this.#leave = leave;
  }

  get peer(): string {
    return this.#incoming.peer;
  }

  get key(): string {
    return this.#incoming.key;
  }

  get destination(): string {
    return this.#incoming.destination;
  }

  get reverse(): IncomingStream['reverse'] {
    return this.#incoming.reverse;
  }

  get signal(): AbortSignal {
    return this.#incoming.signal;
  }

  /** The bytes take this connection. */
  over(carrier: Duplex): void {
    this.#carrier = carrier;
  }

  accept(): Duplex {
    const { key, peer, destination } = this;
    const stream = this.#incoming.accept(this.#carrier);
    const way = this.#incoming.way ?? (this.#carrier === undefined ? 'relay' : 'reverse');
    const shown = this.#client.up.isLimited ? new PacedStream(stream, this.#client) : stream;
    this.#accounts.opened({ stream: key, peer, destination, way }, shown);
    if (shown.closed) this.#leave();
    else shown.once('close', this.#leave);
    return shown;
  }

  refuse(error: NwsError): void {
    const { key, peer, destination } = this;
    this.#carrier?.destroy();
    this.#accounts.refused({ stream: key, peer, destination }, error);
    this.#leave();
    this.#incoming.refuse(error);
  }
}

function noTarget(): NwsError {
  return new NwsError('destination_unavailable', 'this exit has no service of its own', {
    hint: 'it serves the web: use it with --clearnet exit',
  });
}
