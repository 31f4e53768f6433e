// One attempt to find a path to one peer: the prober with a socket and a clock.

import { WakeTimer } from '../../../common/wake-timer.js';
import { type Endpoint, parseEndpoint } from '../../../protocol/direct/endpoint.js';
import { Prober } from '../../../protocol/direct/prober.js';
import type { PathKeys } from '../path/keys.js';
import type { DirectSocket } from '../socket.js';
import type { Judge } from './judge.js';

export interface Found {
  readonly remote: Endpoint;
  /** The other side's control stream. */
  readonly stream: number;
  /** The last number that our probes had. */
  readonly number: number;
  readonly rttMs: number | undefined;
}

export interface AttemptOptions {
  readonly side: 'entry' | 'exit';
  readonly keys: PathKeys;
  readonly socket: Pick<DirectSocket, 'send'>;
  /** The id of our control stream. */
  readonly stream: number;
  readonly judge: Judge;
  /** Called once. `found` is absent where nothing was found in time. */
  readonly onDone: (found: Found | undefined) => void;
}

export class Attempt {
  readonly #options: AttemptOptions;
  readonly #prober: Prober;
  readonly #timer = new WakeTimer(() => this.#pump());
  /** Of candidates that the other side named: those that are asked, and those that may not be. */
  #asked = 0;
  #refused = 0;
  #isDone = false;

  constructor(options: AttemptOptions) {
    this.#options = options;
    this.#prober = new Prober({ side: options.side, now: performance.now() });
    this.#pump();
  }

  get counts(): { readonly asked: number; readonly refused: number } {
    return { asked: this.#asked, refused: this.#refused };
  }

  /** Candidates of the other side, as it wrote them. */
  add(candidates: readonly string[]): void {
    for (const text of candidates) {
      const endpoint = parseEndpoint(text);
      const isOpen = endpoint !== undefined && this.#options.judge(endpoint);
      if (isOpen && this.#prober.add(endpoint, performance.now())) this.#asked += 1;
      else this.#refused += 1;
    }
    this.#pump();
  }

  /** A datagram that names this path. */
  receive(bytes: Buffer, from: Endpoint): void {
    const { keys, judge, onDone } = this.#options;
    const probe = this.#isDone ? undefined : keys.decode(bytes);
    if (probe === undefined) return;
    this.#prober.receive(probe, from, performance.now(), judge);
    const { result, number, rttMs } = this.#prober;
    if (result !== undefined) {
      this.#end();
      onDone({ remote: result, stream: probe.stream, number, rttMs });
    }
    // What is due still where it is done: the exit's word that it uses this pair.
    this.#pump();
  }

  close(): void {
    this.#end();
  }

  #end(): void {
    this.#isDone = true;
    this.#timer.disarm();
  }

  #pump(): void {
    this.#send();
    if (this.#isDone) return;
    if (this.#prober.isOver(performance.now())) {
      this.#end();
      this.#options.onDone(undefined);
    } else this.#timer.arm(this.#prober.wakeAt());
  }

  #send(): void {
    const { socket, keys, side, stream } = this.#options;
    for (;;) {
      const outgoing = this.#prober.pull(performance.now());
      if (outgoing === undefined) return;
      const { kind, number, to } = outgoing;
      socket.send(keys.encode({ kind, side, number, stream }), to);
    }
  }
}
