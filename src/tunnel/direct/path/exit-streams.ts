// Streams that an entry opens on a path, as the exit sees them: secured first, then judged as any other.

import type { Duplex } from 'node:stream';
import { NwsError, toNwsError } from '../../../errors.js';
import { MAX_STREAMS_PER_PEER } from '../../../limits.js';
import type { ControlMessage } from '../../../protocol/direct/control.js';
import { resetFor } from '../../../protocol/stream/reset.js';
import type { IncomingStream } from '../../opening/incoming.js';
import { SecuredStream } from '../../secured/stream.js';
import type { DirectSocket } from '../socket.js';
import type { DirectPath } from './path.js';

type Connect = Extract<ControlMessage, { type: 'CONNECT' }>;

/** How long an entry may take to end a stream that was refused. */
const LEAVE_MS = 3_000;

export interface ExitStreamsOptions {
  readonly path: DirectPath;
  readonly socket: DirectSocket;
  readonly onIncoming: (incoming: IncomingStream) => void;
}

export class ExitStreams {
  readonly #options: ExitStreamsOptions;
  /** By key, from CONNECT to the end. */
  readonly #streams = new Map<string, DirectIncoming | undefined>();

  constructor(options: ExitStreamsOptions) {
    this.#options = options;
  }

  receive(message: ControlMessage): void {
    const { key } = message;
    if (message.type === 'RESET') this.#streams.get(key)?.giveUp();
    else if (message.type === 'CONNECT' && !this.#streams.has(key)) void this.#take(message);
  }

  async #take({ key, id: remoteId, destination }: Connect): Promise<void> {
    const { path, socket, onIncoming } = this.#options;
    if (this.#streams.size >= MAX_STREAMS_PER_PEER) {
      const error = new NwsError('connection_limit_reached', 'too many streams on this path');
      return path.say(resetFor(key, error));
    }
    this.#streams.set(key, undefined);
    const user = {};
    path.users.add(user);
    const leave = (): void => {
      this.#streams.delete(key);
      path.users.delete(user);
    };
    try {
      const id = socket.newId();
      const securing = path.streams.secure(id, remoteId, key);
      path.say({ type: 'ACCEPT', key, id });
      const stream = new SecuredStream(await securing);
      stream.once('close', leave);
      if (stream.closed) return leave();
      const incoming = new DirectIncoming(path, key, destination, stream);
      this.#streams.set(key, incoming);
      onIncoming(incoming);
    } catch (error) {
      leave();
      path.say(resetFor(key, toNwsError(error)));
    }
  }
}

class DirectIncoming implements IncomingStream {
  readonly way = 'direct';
  readonly reverse = undefined;
  readonly #path: DirectPath;
  readonly #stream: Duplex;
  readonly #gaveUp = new AbortController();

  constructor(
    path: DirectPath,
    readonly key: string,
    readonly destination: string,
    stream: Duplex,
  ) {
    this.#path = path;
    this.#stream = stream;
    stream.once('close', () => this.giveUp());
  }

  get peer(): string {
    return this.#path.peer;
  }

  get signal(): AbortSignal {
    return this.#gaveUp.signal;
  }

  /** The entry wants it no more. */
  giveUp(): void {
    this.#gaveUp.abort(new NwsError('connection_terminated', 'the client left'));
    if (!this.#stream.destroyed) this.#stream.destroy();
  }

  accept(): Duplex {
    this.#path.say({ type: 'OPEN', key: this.key });
    return this.#stream;
  }

  refuse(error: NwsError): void {
    this.#path.say(resetFor(this.key, error));
    // The word goes another way than the end, and has to be there first: on it, the entry ends the stream.
    const timer = setTimeout(() => this.#stream.destroy(), LEAVE_MS);
    this.#stream.once('close', () => clearTimeout(timer));
  }
}
