// Opens streams on a path that stands, as the entry.
//
//   CONNECT ─ control ─▶          ◀─ control ─ ACCEPT          then: TLS on a stream of UDX;   OPEN or RESET by control

import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { unlessAborted, within } from '../../../common/waiting.js';
import { NwsError } from '../../../errors.js';
import { MAX_STREAMS_PER_PEER } from '../../../limits.js';
import type { ControlMessage } from '../../../protocol/direct/control.js';
import { errorOfReset } from '../../../protocol/stream/reset.js';
import { SecuredStream } from '../../secured/stream.js';
import type { DirectSocket } from '../socket.js';
import type { DirectPath } from './path.js';

/** An answer that takes longer shows that the path is no good. */
const ACCEPT_MS = 3_000;
/** The exit may have to resolve and dial. */
const OPEN_MS = 40_000;

export interface DirectOpenOptions {
  readonly destination: string;
  /** Don't wait for the exit's word that the target is there: a refusal comes as the stream's error. */
  readonly early?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface Opening {
  readonly accepted: (id: number) => void;
  readonly opened: () => void;
  readonly failed: (error: NwsError) => void;
}

export class EntryStreams {
  readonly #path: DirectPath;
  readonly #socket: DirectSocket;
  readonly #openings = new Map<string, Opening>();

  constructor(path: DirectPath, socket: DirectSocket) {
    this.#path = path;
    this.#socket = socket;
  }

  /**
   * Resolves with the stream when it is open, or with `early` before.
   * @throws NwsError `reverse_unreachable` where the path doesn't do; what the exit says; the signal's reason
   */
  async open(options: DirectOpenOptions): Promise<{ stream: Duplex; key: string }> {
    const { destination, early, signal = new AbortController().signal } = options;
    signal.throwIfAborted();
    if (this.#openings.size >= MAX_STREAMS_PER_PEER) throw useless('it carries too many streams');
    const key = randomUUID();
    const id = this.#socket.newId();
    const { opening, accepted, opened } = waitsFor();
    this.#openings.set(key, opening);
    this.#path.users.add(opening);
    const leave = (): void => {
      this.#openings.delete(key);
      this.#path.users.delete(opening);
    };
    let stream: SecuredStream | undefined;
    try {
      this.#path.say({ type: 'CONNECT', key, destination, id });
      const remoteId = await this.#accepted(accepted, id, signal);
      const securing = this.#path.streams.secure(id, remoteId, key);
      const tls = await unlessAborted(securing, signal, (late) => late.destroy());
      stream = new SecuredStream(tls);
      const secured = stream;
      stream.once('close', leave);
      opened.catch((error: NwsError) => secured.destroy(error));
      if (!early) await within(OPEN_MS, tooSlow(), signal, (limit) => unlessAborted(opened, limit));
      return { stream, key };
    } catch (error) {
      if (signal.aborted) this.#path.say({ type: 'RESET', key, error: 'connection_terminated' });
      stream?.destroy(error as Error);
      leave();
      throw error;
    }
  }

  async #accepted(accepted: Promise<number>, id: number, signal: AbortSignal): Promise<number> {
    try {
      const late = useless('the exit does not answer on it');
      return await within(ACCEPT_MS, late, signal, (limit) => unlessAborted(accepted, limit));
    } catch (error) {
      this.#socket.release(id);
      throw error;
    }
  }

  receive(message: ControlMessage): void {
    const opening = this.#openings.get(message.key);
    if (message.type === 'ACCEPT') opening?.accepted(message.id);
    else if (message.type === 'OPEN') opening?.opened();
    else if (message.type === 'RESET') opening?.failed(errorOfReset(message));
  }

  /** The path is gone. */
  close(reason: string): void {
    for (const { failed } of [...this.#openings.values()]) failed(useless(reason));
  }
}

/** Two answers, and whoever waits for them. */
function waitsFor(): { opening: Opening; accepted: Promise<number>; opened: Promise<void> } {
  let opening: Opening;
  let isAccepted: (id: number) => void;
  let refuse: (error: NwsError) => void;
  const accepted = new Promise<number>((resolve, reject) => {
    isAccepted = resolve;
    refuse = reject;
  });
  const opened = new Promise<void>((resolve, reject) => {
    const failed = (error: NwsError): void => {
      refuse(error);
      reject(error);
    };
    opening = { accepted: (id) => isAccepted(id), opened: resolve, failed };
  });
  accepted.catch(() => undefined);
  opened.catch(() => undefined);
  return { opening: opening!, accepted, opened };
}

/** What makes the session take another way. */
function useless(reason: string): NwsError {
  return new NwsError('direct_unreachable', `the direct path is of no use: ${reason}`);
}

function tooSlow(): NwsError {
  return new NwsError('connection_timeout', 'the exit did not connect in time');
}
