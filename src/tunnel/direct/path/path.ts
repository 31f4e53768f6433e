// A path that stands: its control stream, signs of life, and its end. How streams are opened on it is entry-streams'
// and exit-streams' matter.
//
//   probes ─┐                       ┌─ control stream (TLS) ─ CONNECT, ACCEPT, OPEN, RESET
//           DirectSocket ═ UDP ═ …  ┴─ one stream (TLS) for each connection

import type { Logger } from 'pino';
import { NwsError } from '../../../errors.js';
import type { ControlMessage } from '../../../protocol/direct/control.js';
import { type Endpoint, formatEndpoint, sameEndpoint } from '../../../protocol/direct/endpoint.js';
import { Liveness } from '../../../protocol/direct/liveness.js';
import { ReplayWindow } from '../../../protocol/direct/replay-window.js';
import type { WindowPool } from '../../../protocol/direct/window.js';
import type { Found } from '../meeting/attempt.js';
import type { DirectSocket } from '../socket.js';
import { ControlStream } from './control-stream.js';
import type { PathKeys } from './keys.js';
import { PathStreams } from './streams.js';

const TICK_MS = 500;
/** What the control stream is called; streams have UUIDs. */
const CONTROL_KEY = 'control';
/** So many questions in a row without an answer, and it is silent. */
const SILENT_AFTER = 3;
/** Answers a second: each question of the other side has one, and there are two a second at most. */
const MAX_ANSWERS_PER_TICK = 8;

export interface PathOptions {
  readonly side: 'entry' | 'exit';
  /** The other side's pubkey, hex. */
  readonly peer: string;
  readonly keys: PathKeys;
  readonly socket: DirectSocket;
  readonly pool: WindowPool;
  readonly found: Found;
  /** The id of our control stream. */
  readonly control: number;
  readonly log: Logger;
  readonly onMessage: (message: ControlMessage) => void;
  /** Called each time that it falls silent; streams that are open may live through it. */
  readonly onSilent: () => void;
  /** Called once, when the path is no more; every stream of it is cut. */
  readonly onGone: (reason: string) => void;
}

export class DirectPath {
  readonly streams: PathStreams;
  /** Connections that use it, or are about to. */
  readonly users = new Set<object>();
  readonly #options: PathOptions;
  readonly #liveness = new Liveness(performance.now());
  readonly #numbers = new ReplayWindow();
  readonly #asked = new Map<number, number>();
  readonly #timer: NodeJS.Timeout;
  #number: number;
  #answers = 0;
  #control: ControlStream | undefined;
  #rttMs: number | undefined;
  #isGone = false;

  constructor(options: PathOptions) {
    const { side, socket, keys, pool, found } = options;
    this.#options = options;
    this.#number = found.number;
    this.#rttMs = found.rttMs;
    this.streams = new PathStreams({ side, socket, keys, pool, remote: found.remote });
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  get peer(): string {
    return this.#options.peer;
  }

  /** `address:port` of the other side. */
  get remote(): string {
    return formatEndpoint(this.#options.found.remote);
  }

  /** The latest round trip, in ms. */
  get rttMs(): number | undefined {
    return this.#rttMs;
  }

  /** Nothing comes through it just now: new streams had better take another way. */
  get isSilent(): boolean {
    return this.#asked.size >= SILENT_AFTER;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Resolves when the control stream is there. @throws NwsError `reverse_unreachable`; then the path is gone. */
  async start(): Promise<void> {
    const { control, found, onMessage } = this.#options;
    try {
      const tls = await this.streams.secure(control, found.stream, CONTROL_KEY);
      if (this.#isGone) {
        tls.destroy();
        throw new NwsError('reverse_unreachable', 'the direct path is gone');
      }
      const onEnd = (): void => this.close('the other side ended it');
      this.#control = new ControlStream(tls, onMessage, onEnd);
    } catch (error) {
      this.close((error as Error).message);
      throw error;
    }
  }

  say(message: ControlMessage): void {
    this.#control?.say(message);
  }

  /** A datagram that names this path. */
  receive(bytes: Buffer, from: Endpoint): void {
    const { keys, side, found } = this.#options;
    if (!sameEndpoint(from, found.remote)) return;
    const probe = keys.decode(bytes);
    if (probe === undefined || probe.side === side) return;
    const now = performance.now();
    if (probe.kind === 'answer' || probe.kind === 'used') {
      const askedAt = this.#asked.get(probe.number);
      if (askedAt === undefined) return;
      this.#asked.clear();
      this.#rttMs = now - askedAt;
      this.#liveness.heard(now);
    } else if (this.#numbers.accept(probe.number) && this.#answers < MAX_ANSWERS_PER_TICK) {
      this.#answers += 1;
      this.#liveness.heard(now);
      this.#send(probe.kind === 'ask' ? 'answer' : 'used', probe.number);
    }
  }

  /** Something happened that may have cut it: asks at once. */
  suspect(): void {
    this.#liveness.suspect(performance.now());
    this.#tick();
  }

  /** Cuts every stream. */
  close(reason: string): void {
    if (this.#isGone) return;
    this.#isGone = true;
    clearInterval(this.#timer);
    this.#control?.close();
    this.streams.cut();
    this.#options.onGone(reason);
  }

  #tick(): void {
    const now = performance.now();
    const { isHeard, isBusy } = this.streams.look();
    if (isHeard) {
      this.#asked.clear();
      this.#liveness.heard(now);
    }
    if (this.users.size > 0) this.#liveness.used(isBusy, now);
    this.#answers = 0;
    const verdict = this.#liveness.check(now);
    if (verdict === 'ask') this.#ask(now);
    else if (verdict !== undefined) this.close(verdict === 'idle' ? IDLE : SILENT);
  }

  #ask(now: number): void {
    this.#number += 1;
    // A silent path has a dozen at most.
    this.#asked.set(this.#number, now);
    this.#send('ask', this.#number);
    if (this.#asked.size === SILENT_AFTER) this.#options.onSilent();
  }

  #send(kind: 'ask' | 'answer' | 'used', number: number): void {
    const { keys, socket, side, control: stream, found } = this.#options;
    socket.send(keys.encode({ kind, side, number, stream }), found.remote);
  }
}

const SILENT = 'nothing comes through it any more';
/** Nobody has used it for a while. */
export const IDLE = 'nobody uses it';
