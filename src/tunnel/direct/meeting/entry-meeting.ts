// An entry asks one exit to look for a path together: both say how they are reached, through the relays, and probe.
//
//   PATH (secret, candidates) ═ relay ═▶ exit       ◀═ relay ═ PATH (candidates, STUN servers)
//   PATH (what those servers saw) ═▶                 probes ◀──▶ probes

import { parseServer } from '../../../protocol/direct/servers.js';
import type { Path } from '../../../protocol/wire/message.js';
import type { PathKeys } from '../path/keys.js';
import type { Paths } from '../paths.js';
import { Attempt, type Found } from './attempt.js';
import { NOWHERE, type Outside } from './candidates.js';

/** PATH is said again where nothing comes back, and then it is given up. In ms after the first time. */
const REPEAT_AT_MS = [1_500, 3_500];
const ANSWER_TIMEOUT_MS = 6_000;

export type Met = { readonly found: Found } | { readonly reason: string };

export interface EntryMeetingOptions {
  readonly paths: Paths;
  /** Of the attempt, a UUID. */
  readonly key: string;
  readonly secret: Buffer;
  readonly keys: PathKeys;
  /** The id of our control stream. */
  readonly stream: number;
  readonly say: (message: Path) => void;
  /** Called once. */
  readonly onDone: (met: Met) => void;
}

export class EntryMeeting {
  readonly #options: EntryMeetingOptions;
  #attempt: Attempt | undefined;
  #timers: NodeJS.Timeout[] = [];
  #outside: Outside = NOWHERE;
  #isAnswered = false;
  /** The exit knows of no server that we haven't asked. */
  #hasAskedTheirs = false;
  #isDone = false;

  constructor(options: EntryMeetingOptions) {
    this.#options = options;
    void this.#start();
  }

  async #start(): Promise<void> {
    const { paths, keys, stream } = this.#options;
    this.#outside = await paths.candidates.find([], paths.judge);
    if (this.#isDone) return;
    const onDone = (found: Found | undefined): void =>
      this.#end(found === undefined ? { reason: this.#reason() } : { found });
    const { socket, judge } = paths;
    this.#attempt = new Attempt({ side: 'entry', keys, socket, stream, judge, onDone });
    paths.set(keys.id, this);
    this.#say();
    const fail = (): void => this.#end({ reason: 'the exit does not answer about it' });
    this.#timers = [
      ...REPEAT_AT_MS.map((after) => setTimeout(() => this.#say(), after)),
      setTimeout(fail, ANSWER_TIMEOUT_MS),
    ];
  }

  #say(): void {
    const { say, key, secret } = this.#options;
    say({ type: 'PATH', key, secret, candidates: this.#outside.candidates });
  }

  /** PATH of the exit. */
  answer({ candidates, stun = [] }: Path): void {
    if (this.#isDone || this.#attempt === undefined) return;
    if (!this.#isAnswered) this.#clearTimers();
    this.#isAnswered = true;
    this.#attempt.add(candidates);
    void this.#askTheirs(stun);
  }

  /** Where we have no servers of our own, the exit's show how we look from outside. */
  async #askTheirs(stun: readonly string[]): Promise<void> {
    const { candidates, judge } = this.#options.paths;
    const isOurs = !candidates.needsServers || this.#hasAskedTheirs;
    this.#hasAskedTheirs = true;
    const servers = isOurs ? [] : stun.flatMap((text) => parseServer(text) ?? []);
    if (servers.length === 0) return;
    const before = this.#outside.candidates.length;
    this.#outside = await candidates.find(servers, judge);
    if (this.#isDone || this.#outside.candidates.length <= before) return;
    this.#say();
    this.#timers = [setTimeout(() => this.#say(), REPEAT_AT_MS[0])];
  }

  receive(bytes: Buffer, from: Parameters<Attempt['receive']>[1]): void {
    this.#attempt?.receive(bytes, from);
  }

  close(reason: string): void {
    this.#end({ reason });
  }

  #end(met: Met): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#clearTimers();
    this.#attempt?.close();
    this.#options.paths.delete(this.#options.keys.id, this);
    this.#options.onDone(met);
  }

  #clearTimers(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /** Why no probe came through, as far as this side can tell. */
  #reason(): string {
    const { candidates, stunAsked, stunAnswered, isSymmetric } = this.#outside;
    const { asked = 0 } = this.#attempt?.counts ?? {};
    if (stunAsked > 0 && stunAnswered === 0) return 'no STUN server answers: UDP may be blocked';
    if (isSymmetric) return 'the NAT here is symmetric: each destination sees another port';
    if (asked === 0 && candidates.length === 0) {
      return 'neither side knows how it is reached from outside (no --stun, no --direct-address)';
    }
    if (candidates.length === 0) return 'no STUN server here, and none of the exit';
    if (isSymmetric === false) {
      return 'no probe came through, though the NAT here keeps its port: one there may not, or a firewall';
    }
    return 'no probe came through: a NAT or a firewall on one of the sides keeps them out';
  }
}
