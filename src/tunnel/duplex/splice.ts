// The one two-way pipe: joins two duplex streams with backpressure, half-close and one teardown.
// Leaves opening, time-outs and accounting to the caller.

import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { abortConnection } from '../../common/abort-connection.js';
import { NwsError, toNwsError } from '../../errors.js';

export interface SpliceResult {
  readonly bytesAtoB: number;
  readonly bytesBtoA: number;
  /** Why the pipe broke; absent where both directions ended in order. */
  readonly error?: NwsError;
}

export interface SpliceOptions {
  /** Called exactly once, when both streams are closed. */
  readonly onEnd?: (result: SpliceResult) => void;
}

/**
 * Copies `a` to `b` and `b` to `a` until both directions have ended. The end of one direction is
 * passed on by itself. An error or a premature close of one stream destroys the other one with an
 * error; a TCP socket is reset, so that its peer sees an abort instead of a clean end.
 * The streams have to be made with `allowHalfOpen`, or a half-close ends both directions.
 */
export function splice(a: Duplex, b: Duplex, options: SpliceOptions = {}): void {
  let bytesAtoB = 0;
  let bytesBtoA = 0;
  let error: NwsError | undefined;
  let open = 2;

  const fail = (cause: unknown): void => {
    if (error !== undefined) return;
    error = toNwsError(cause, 'connection_terminated');
    abort(a, error);
    abort(b, error);
  };
  const watch = (stream: Duplex, count: (chunk: Buffer) => void): void => {
    const onClose = (): void => {
      if (!stream.readableEnded || !stream.writableFinished) fail(closedEarly());
      stream.off('data', count);
      open -= 1;
      if (open === 0) options.onEnd?.({ bytesAtoB, bytesBtoA, ...(error && { error }) });
    };
    stream.on('data', count);
    stream.on('error', fail);
    // A stream may have died while the other one was being opened: then 'close' is in the past.
    if (stream.closed) process.nextTick(onClose);
    else stream.once('close', onClose);
  };

  watch(a, (chunk) => {
    bytesAtoB += chunk.length;
  });
  watch(b, (chunk) => {
    bytesBtoA += chunk.length;
  });
  a.pipe(b);
  b.pipe(a);
}

function closedEarly(): NwsError {
  return new NwsError('connection_terminated', 'the connection was closed in the middle');
}

/** Ends a stream so that its peer can't take what it got for the whole. */
function abort(stream: Duplex, error: NwsError): void {
  if (stream instanceof Socket && !(stream instanceof TLSSocket)) abortConnection(stream);
  else stream.destroy(error);
}
