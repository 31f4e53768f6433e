// Direct paths of an entry: to which exits one is looked for, when again, and streams on those that stand. A stream
// never waits for any of it.

import { randomBytes, randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { BoundedMap } from '../../common/bounded.js';
import { toNwsError } from '../../errors.js';
import type { Path } from '../../protocol/wire/message.js';
import { EntryMeeting, type Met } from './meeting/entry-meeting.js';
import type { DirectOptions, DirectReport, Say } from './options.js';
import { type DirectOpenOptions, EntryStreams } from './path/entry-streams.js';
import { PathKeys } from './path/keys.js';
import { DirectPath, IDLE } from './path/path.js';
import { Paths } from './paths.js';
import { Rest } from './rest.js';

/** Exits of which something is remembered. */
const MAX_EXITS = 1_024;
const SECRET_BYTES = 32;
const NOT_OFFERED = 'the exit does not take part (no --direct there)';
const NOT_ASKED = 'this exit is not among those of --direct-exit';

/** What makes the session take another way. */
const FALLS_BACK: ReadonlySet<string> = new Set(['direct_unreachable', 'reverse_unreachable']);

/** What is known of the way to one exit. */
interface Exit {
  readonly rest: Rest;
  /** The exit has said that it takes part. */
  isOffered: boolean;
  /** When looking for a path began last, on performance.now(). */
  beganAt: number;
  meeting?: EntryMeeting | undefined;
  key?: string | undefined;
  path?: DirectPath | undefined;
  streams?: EntryStreams | undefined;
  /** Told when looking has come to an end. */
  readonly waiting: (() => void)[];
}

export class DirectEntry {
  readonly #options: DirectOptions;
  readonly #paths: Paths;
  readonly #exits = new BoundedMap<string, Exit>(MAX_EXITS);
  readonly #open = new Set<Duplex>();
  #say: Say = () => undefined;
  #onSilent: () => void = () => undefined;
  #isClosed = false;

  private constructor(options: DirectOptions, paths: Paths) {
    this.#options = options;
    this.#paths = paths;
  }

  /** @throws NwsError `bad_config` without udx-native, `address_in_use` */
  static async start(options: DirectOptions): Promise<DirectEntry> {
    let direct: DirectEntry | undefined;
    const paths = await Paths.open(options, () => {
      if (direct !== undefined) direct.#networkChanged();
    });
    direct = new DirectEntry(options, paths);
    return direct;
  }

  /**
   * @param say reaches peers through relays
   * @param onSilent a path has fallen silent: there may be more that is gone
   */
  attach(say: Say, onSilent: () => void): void {
    this.#say = say;
    this.#onSilent = onSilent;
  }

  /** Streams that are open. */
  get streams(): number {
    return this.#open.size;
  }

  /** How things are with an exit. */
  reportOf(peer: string): DirectReport {
    return this.#report(peer, this.#exits.get(peer));
  }

  #report(peer: string, exit: Exit | undefined): DirectReport {
    if (!this.#mayAsk(peer)) return { peer, state: 'refused', reason: NOT_ASKED };
    if (exit === undefined || !exit.isOffered) {
      return { peer, state: 'refused', reason: NOT_OFFERED };
    }
    const { path, streams, meeting, rest } = exit;
    if (path !== undefined && streams !== undefined) {
      return { peer, state: 'standing', remote: path.remote, rttMs: path.rttMs };
    }
    if (meeting !== undefined || path !== undefined) return { peer, state: 'arranging' };
    return { peer, state: 'resting', reason: rest.reason ?? 'not looked for yet' };
  }

  /**
   * A stream over the path to this exit; undefined where none stands, or it turns out to lead nowhere.
   * @throws NwsError what the exit says, or the signal's reason
   */
  async open(
    peer: string,
    options: DirectOpenOptions,
  ): Promise<{ stream: Duplex; key: string } | undefined> {
    const exit = this.#exits.get(peer);
    const { path, streams } = exit ?? {};
    if (exit !== undefined) this.#arrange(peer, exit);
    if (path === undefined || streams === undefined || path.isSilent) return undefined;
    try {
      const opened = await streams.open(options);
      this.#open.add(opened.stream);
      opened.stream.once('close', () => this.#open.delete(opened.stream));
      if (opened.stream.closed) this.#open.delete(opened.stream);
      return opened;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!FALLS_BACK.has(toNwsError(error).code)) throw error;
      path.suspect();
      return undefined;
    }
  }

  /** The exit says that it takes part. */
  offered(peer: string): void {
    if (!this.#mayAsk(peer)) return;
    const exit = this.#exitOf(peer);
    exit.isOffered = true;
    this.#arrange(peer, exit);
  }

  /** The exit may have been started anew: what it knew of a path is gone. */
  restarted(peer: string): void {
    this.#exits.get(peer)?.path?.suspect();
  }

  /** PATH of an exit. */
  take(peer: string, message: Path): void {
    const { meeting, key } = this.#exits.get(peer) ?? {};
    if (key === message.key) meeting?.answer(message);
  }

  /**
   * Looks for a path now, unless it is there, to an exit that has said that it takes part. Resolves when that has come
   * to an end.
   */
  async arrange(peer: string): Promise<DirectReport> {
    const exit = this.#exits.get(peer);
    if (exit?.isOffered) {
      if (exit.meeting === undefined) exit.rest.forget();
      this.#arrange(peer, exit);
      const isBusy = exit.meeting !== undefined || (exit.path && exit.streams === undefined);
      if (isBusy) await new Promise<void>((resolve) => exit.waiting.push(resolve));
    }
    return this.reportOf(peer);
  }

  #mayAsk(peer: string): boolean {
    return this.#options.settings.exits?.has(peer) ?? true;
  }

  #exitOf(peer: string): Exit {
    const known = this.#exits.get(peer);
    if (known !== undefined) return known;
    const exit: Exit = { rest: new Rest(), isOffered: false, beganAt: 0, waiting: [] };
    this.#makeRoom();
    this.#exits.set(peer, exit);
    return exit;
  }

  /** Of an exit that is forgotten, the path goes, too. */
  #makeRoom(): void {
    if (this.#exits.size < MAX_EXITS) return;
    const [oldest] = this.#exits.values();
    oldest?.meeting?.close('forgotten');
    oldest?.path?.close('forgotten');
  }

  #arrange(peer: string, exit: Exit): void {
    const isBusy = exit.meeting !== undefined || exit.path !== undefined;
    if (this.#isClosed || !exit.isOffered || isBusy || this.#paths.isFull) return;
    if (exit.rest.isOn(performance.now())) return;
    const secret = randomBytes(SECRET_BYTES);
    const keys = new PathKeys(secret);
    const control = this.#paths.socket.newId();
    const key = randomUUID();
    exit.key = key;
    exit.beganAt = performance.now();
    exit.meeting = new EntryMeeting({
      paths: this.#paths,
      key,
      secret,
      keys,
      stream: control,
      say: (message) => this.#say(peer, message),
      onDone: (met) => this.#met(peer, exit, { met, keys, control }),
    });
  }

  #met(
    peer: string,
    exit: Exit,
    { met, keys, control }: { met: Met; keys: PathKeys; control: number },
  ): void {
    exit.meeting = undefined;
    if ('reason' in met) {
      this.#paths.socket.release(control);
      this.#failed(peer, exit, met.reason);
      return;
    }
    const { socket, pool, log } = this.#paths;
    const startedAt = performance.now();
    const path = new DirectPath({
      ...{ side: 'entry', peer, keys, socket, pool, control, log },
      found: met.found,
      onMessage: (message) => streams.receive(message),
      onSilent: () => this.#onSilent(),
      onGone: (reason) => {
        this.#paths.delete(keys.id, path);
        streams.close(reason);
        this.#gone(peer, exit, reason, startedAt);
      },
    });
    const streams: EntryStreams = new EntryStreams(path, socket);
    this.#paths.set(keys.id, path);
    exit.path = path;
    path.start().then(
      () => {
        exit.streams = streams;
        const { remote, rttMs } = path;
        log.info({ peer, remote, rttMs: Math.round(rttMs ?? 0) }, 'a direct path stands');
        this.#tell(exit);
      },
      () => undefined, // It is gone, and said why.
    );
  }

  #gone(peer: string, exit: Exit, reason: string, since: number): void {
    const stood = exit.streams !== undefined;
    exit.path = undefined;
    exit.streams = undefined;
    if (!stood) {
      this.#failed(peer, exit, reason);
      return;
    }
    this.#paths.log.info({ peer, reason }, 'a direct path is gone');
    if (reason !== IDLE) exit.rest.lost(reason, since, performance.now());
  }

  #failed(peer: string, exit: Exit, reason: string): void {
    exit.rest.failed(reason, exit.beganAt, performance.now());
    if (!this.#isClosed) this.#paths.log.info({ peer, reason }, 'no direct path: relays it is');
    this.#tell(exit);
  }

  #tell(exit: Exit): void {
    for (const tell of exit.waiting.splice(0)) tell();
  }

  #networkChanged(): void {
    for (const { rest, path } of this.#exits.values()) {
      rest.networkChanged(performance.now());
      path?.suspect();
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#paths.close();
  }
}
