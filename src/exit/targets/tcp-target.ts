// A tcp:// target: each stream becomes one connection to it.

import type { Logger } from 'pino';
import type { IncomingStream } from '../../tunnel/session.js';
import { dial } from '../dial/dial.js';
import { RawStreams } from './raw-streams.js';
import type { Target, TargetServer } from './target.js';

export interface TcpTargetOptions {
  readonly target: Target;
  readonly log: Logger;
}

export class TcpTarget implements TargetServer {
  readonly #target: Target;
  readonly #streams: RawStreams;

  constructor({ target, log }: TcpTargetOptions) {
    this.#target = target;
    this.#streams = new RawStreams(log);
  }

  serve(incoming: IncomingStream): void {
    void this.#streams.serve(incoming, (signal) => dial(this.#target, { signal }));
  }

  /** Lets streams end by themselves for `graceMs`, then resets them. */
  close(graceMs: number): Promise<void> {
    return this.#streams.close(graceMs);
  }
}
