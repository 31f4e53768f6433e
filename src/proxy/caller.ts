// A client that asked for a connection, and how it is handed over to the stream that it gets.

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { abortConnection } from '../common/abort-connection.js';
import type { NwsError } from '../errors.js';
import type { HostPort } from '../http/host-port.js';
import { type SpliceResult, splice } from '../tunnel/duplex/splice.js';
import type { Entry } from './entry.js';
import { Prelude } from './tls/prelude.js';

/** How a client that asked in its own language is told what became of it. */
export interface Answers {
  accept(client: Socket): void;
  /** Closes the connection, too. */
  refuse(client: Socket, failure: NwsError): void;
}

export class Caller {
  readonly client: Socket;
  readonly prelude: Prelude;
  /** What it asked for. */
  readonly at: HostPort;
  readonly #leaving = new AbortController();
  readonly #answers: Answers;
  #isAccepted = false;

  /** @param head what came along with the request */
  constructor(client: Socket, head: Buffer, at: HostPort, answers: Answers) {
    this.client = client;
    this.at = at;
    this.#answers = answers;
    this.prelude = new Prelude(client, head);
    client.once('close', this.#leave);
  }

  /** Aborted when the client leaves before it is handed over. */
  get signal(): AbortSignal {
    return this.#leaving.signal;
  }

  /** Says that it is connected, once. */
  accept(): void {
    this.#isAccepted = true;
    this.#answers.accept(this.client);
  }

  /** Once accepted, a second answer would only be garbage to the client: the connection is reset. */
  refuse(failure: NwsError): void {
    if (this.#isAccepted) abortConnection(this.client);
    else this.#answers.refuse(this.client, failure);
  }

  /**
   * Leaves the client to whoever calls, with what it has said so far. Its close means nothing here from now
   * on: a client may be done and gone while its last bytes are still on their way to the exit.
   */
  handOver(): Buffer {
    this.client.off('close', this.#leave);
    return this.prelude.release();
  }

  readonly #leave = (): void => this.#leaving.abort();
}

/** Hands the client over to its stream, beginning with what it said before. */
export function passOn(entry: Entry, caller: Caller, upstream: Duplex): void {
  const said = caller.handOver();
  if (said.length > 0) upstream.write(said);
  join(entry, caller.at, caller.client, upstream);
}

/** Splices the client's side and the exit's, and logs the end. */
export function join(
  entry: Entry,
  { host, port }: HostPort,
  client: Duplex,
  upstream: Duplex,
): void {
  let isUpstreams = false;
  // Where it is the client that has left, which is no failure, the stream is cut behind it.
  upstream.once('error', () => {
    isUpstreams = !client.destroyed;
  });
  const onEnd = ({ bytesAtoB, bytesBtoA, error }: SpliceResult): void => {
    const bytes = { bytesUp: bytesAtoB, bytesDown: bytesBtoA };
    if (error !== undefined && isUpstreams) entry.failures.note(error, host);
    entry.log.debug({ host, port, ...bytes, code: error?.code }, 'connection ended');
  };
  splice(client, upstream, { onEnd });
}

/** Tells the log, and those who look at the status page. */
export function logFailure(entry: Entry, host: string, failure: NwsError): void {
  entry.failures.note(failure, host);
  entry.log.info({ host, code: failure.code }, `request failed: ${failure.line}`);
}
