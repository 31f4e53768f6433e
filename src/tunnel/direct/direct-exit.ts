// Direct paths of an exit: answers entries that ask for one, within bounds, and takes the streams that come over them.

import { formatServer } from '../../protocol/direct/servers.js';
import { RateLimit } from '../../protocol/peer/rate-limit.js';
import type { Path } from '../../protocol/wire/message.js';
import type { IncomingStream } from '../opening/incoming.js';
import type { Found } from './meeting/attempt.js';
import { ExitMeeting } from './meeting/exit-meeting.js';
import type { DirectOptions, DirectReport, Say } from './options.js';
import { ExitStreams } from './path/exit-streams.js';
import { PathKeys } from './path/keys.js';
import { DirectPath } from './path/path.js';
import { MAX_PATHS, Paths } from './paths.js';

/** Attempts that are begun in a second: each may send a few dozen datagrams to addresses that a stranger names. */
const ATTEMPTS_A_SECOND = 5;
/** Attempts at once; the rest of what there may be is for paths that stand. */
const MAX_ATTEMPTS = MAX_PATHS / 8;

export class DirectExit {
  readonly #stun: readonly string[];
  readonly #paths: Paths;
  readonly #attempts = new RateLimit(ATTEMPTS_A_SECOND);
  /** By the entry's pubkey: one at a time. */
  readonly #meetings = new Map<string, ExitMeeting>();
  readonly #standing = new Map<string, DirectPath>();
  #say: Say = () => undefined;
  #onSilent: () => void = () => undefined;
  #onIncoming: ((incoming: IncomingStream) => void) | undefined;

  private constructor(options: DirectOptions, paths: Paths) {
    this.#stun = options.settings.stun.map(formatServer);
    this.#paths = paths;
  }

  /** @throws NwsError `bad_config` without udx-native, `address_in_use` */
  static async start(options: DirectOptions): Promise<DirectExit> {
    let direct: DirectExit | undefined;
    const paths = await Paths.open(options, () => {
      if (direct !== undefined) for (const path of direct.#standing.values()) path.suspect();
    });
    direct = new DirectExit(options, paths);
    return direct;
  }

  /**
   * @param say reaches peers through relays
   * @param onSilent a path has fallen silent: there may be more that is gone
   * @param onIncoming gets the streams that peers open
   */
  attach(say: Say, onSilent: () => void, onIncoming: (incoming: IncomingStream) => void): void {
    this.#say = say;
    this.#onSilent = onSilent;
    this.#onIncoming = onIncoming;
  }

  /** Streams that are open, or being opened. */
  get streams(): number {
    let count = 0;
    for (const path of this.#standing.values()) count += path.users.size;
    return count;
  }

  /** How things are with a client; undefined where it has not asked. */
  reportOf(peer: string): DirectReport | undefined {
    const path = this.#standing.get(peer);
    if (path !== undefined) {
      return { peer, state: 'standing', remote: path.remote, rttMs: path.rttMs };
    }
    return this.#meetings.has(peer) ? { peer, state: 'arranging' } : undefined;
  }

  /**
   * PATH of an entry.
   * @param isFresh it is no repetition from before this process started
   */
  take(peer: string, message: Path, isFresh: boolean): void {
    const { key, secret } = message;
    if (secret === undefined) return;
    const known = this.#meetings.get(peer);
    const meeting = known?.key === key ? known : this.#begin(peer, key, secret, isFresh);
    void meeting?.take(message);
  }

  #begin(peer: string, key: string, secret: Buffer, isFresh: boolean): ExitMeeting | undefined {
    const isFull = this.#paths.isFull || this.#meetings.size >= MAX_ATTEMPTS;
    if (!isFresh || isFull || !this.#attempts.allows(performance.now())) return undefined;
    // An entry that begins anew has given up what it had.
    this.#meetings.get(peer)?.close();
    const keys = new PathKeys(secret);
    const control = this.#paths.socket.newId();
    const meeting = new ExitMeeting({
      paths: this.#paths,
      key,
      keys,
      stream: control,
      stun: this.#stun,
      say: (answer) => this.#say(peer, answer),
      onDone: (found) => {
        if (this.#meetings.get(peer) === meeting) this.#meetings.delete(peer);
        if (found === undefined) this.#paths.socket.release(control);
        else this.#met(peer, keys, control, found);
      },
    });
    this.#meetings.set(peer, meeting);
    return meeting;
  }

  #met(peer: string, keys: PathKeys, control: number, found: Found): void {
    const { socket, pool, log } = this.#paths;
    this.#standing.get(peer)?.close('the entry has a new one');
    const path = new DirectPath({
      ...{ side: 'exit', peer, keys, socket, pool, control, found, log },
      onMessage: (message) => streams.receive(message),
      onSilent: () => this.#onSilent(),
      onGone: (reason) => {
        this.#paths.delete(keys.id, path);
        if (this.#standing.get(peer) === path) this.#standing.delete(peer);
        log.info({ peer, reason }, 'a direct path is gone');
      },
    });
    const onIncoming = (incoming: IncomingStream): void => this.#onIncoming?.(incoming);
    const streams = new ExitStreams({ path, socket, onIncoming });
    this.#paths.set(keys.id, path);
    this.#standing.set(peer, path);
    path.start().then(
      () => log.info({ peer, remote: path.remote }, 'a direct path stands'),
      () => undefined, // It is gone, and said why.
    );
  }

  async close(): Promise<void> {
    await this.#paths.close();
  }
}
