// TLS over a stream that is no socket of the system: Node runs it over a stand-in for one, which takes a write behind
// the end for a bug of Node's and throws, in the middle of whatever brought the bytes. But TLS may have something to write
// then: tickets when a handshake is completed late, a new key when the other side has one (RFC 8446, sections 4.6.1 and
// 4.6.3). Nobody waits for any of that, so behind the end it is dropped. And the last that TLS writes is told apart from
// everything before: the end follows it a few turns later, and where each write costs an event it is worth waiting for.
// Nor does the stream go when both of its directions have ended: TLS, which would go with it, may hold what nobody has
// read yet, and destroys it when it is done.

import { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

/** What is used here of Node's JSStreamSocket. */
interface StandIn {
  readonly stream: Partial<Ending & AutoDestroying>;
  doShutdown(req: object): number;
  doWrite(req: object, parts: readonly Buffer[]): number;
  _handle: { finishWrite(req: object, status: number): void } | null;
}

/** What Node keeps of a stream. */
interface AutoDestroying {
  readonly _readableState: { autoDestroy: boolean };
  readonly _writableState: { autoDestroy: boolean };
}

/** A stream that makes use of knowing that its end comes right behind what was just written. */
export interface Ending {
  endsSoon(): void;
}

/** A stream over TLS of its own. */
export interface Carrier {
  /** Makes other TLS on top, over what `make` is given, and ends with it; nobody else reads or writes it any more. */
  carry(make: (below: Duplex) => TLSSocket): TLSSocket;
}

const ended = new WeakSet<StandIn>();
let isDone = false;

/** To be called before TLS is put over any such stream. Where Node's inside is another one, it is left as it is. */
export function prepareTlsOverStreams(): void {
  if (isDone) return;
  isDone = true;
  const standIn = standInOf(new TLSSocket(new Duplex({ read: () => undefined })));
  if (standIn !== undefined) mend(Object.getPrototypeOf(standIn) as StandIn);
}

/** TLS on top of any stream, by `make` over what it is given. */
export function tlsOver(
  stream: Duplex & Partial<Carrier>,
  make: (below: Duplex) => TLSSocket,
): TLSSocket {
  prepareTlsOverStreams();
  return stream.carry?.(make) ?? make(stream);
}

function standInOf(socket: TLSSocket): StandIn | undefined {
  const { _handle: handle } = socket as { _handle?: { _parentWrap?: Partial<StandIn> } };
  const found = handle?._parentWrap;
  socket.destroy();
  const isKnown = typeof found?.doShutdown === 'function' && typeof found.doWrite === 'function';
  return isKnown ? (found as StandIn) : undefined;
}

function mend(prototype: StandIn): void {
  const { doShutdown, doWrite } = prototype;
  prototype.doShutdown = function (req) {
    ended.add(this);
    const { _readableState: readable, _writableState: writable } = this.stream;
    for (const state of [readable, writable]) if (state !== undefined) state.autoDestroy = false;
    this.stream.endsSoon?.();
    return doShutdown.call(this, req);
  };
  prototype.doWrite = function (req, parts) {
    if (!ended.has(this)) return doWrite.call(this, req, parts);
    const handle = this._handle;
    setImmediate(() => {
      // Closed meanwhile, nobody waits for it.
      if (handle !== null && this._handle === handle) handle.finishWrite(req, 0);
    });
    return 0;
  };
}
