// The exit's side of a reverse connection: presents a stream's key on a fresh TCP connection to the entry.
// Whether and how to connect is the exit's policy and dialler.

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { NwsError } from '../../errors.js';
import { TcpWire } from '../secured/tcp-wire.js';
import { secureAsClient } from '../secured/tls.js';

/** The entry's answer to a key that it expects (PROTOCOL, "CONNECTR"). */
export const ACCEPTED = 0x01;
/** For the entry's answer and for the handshake, each. */
const ANSWER_TIMEOUT_MS = 5_000;
/** Silence after which the system asks whether the peer is still there. */
export const PROBE_MS = 60_000;

export interface PresentOptions {
  /** For the entry's answer and for the TLS handshake, each; default 5 s. */
  readonly timeoutMs?: number;
}

/**
 * Writes the key, reads the entry's one byte and, with a secret (32 bytes), runs TLS 1.3 as the client. Resolves with
 * the stream itself, half-closable. On failure the socket is destroyed; to give up, destroy it.
 * @throws NwsError `reverse_unreachable`.
 */
export async function presentKey(
  socket: Socket,
  key: string,
  secret?: Buffer,
  { timeoutMs = ANSWER_TIMEOUT_MS }: PresentOptions = {},
): Promise<Duplex> {
  socket.allowHalfOpen = true;
  socket.setNoDelay(true).setKeepAlive(true, PROBE_MS);
  socket.on('error', () => undefined);
  socket.write(key, 'latin1');
  await answer(socket, timeoutMs);
  return secret === undefined
    ? socket
    : secureAsClient((failed) => new TcpWire(socket, failed), { key, secret, timeoutMs });
}

/** Takes one byte; what comes behind it stays in the socket. */
function answer(socket: Socket, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (reason?: string): void => {
      clearTimeout(timer);
      socket.off('readable', onReadable).off('end', onEnd).off('close', onEnd);
      if (reason === undefined) {
        resolve();
        return;
      }
      socket.destroy();
      reject(new NwsError('reverse_unreachable', `the entry ${reason}`));
    };
    const onReadable = (): void => {
      const byte: Buffer | null = socket.read(1);
      if (byte !== null) settle(byte[0] === ACCEPTED ? undefined : 'answers in another protocol');
    };
    const onEnd = (): void => settle('closed the reverse connection: it does not expect its key');
    const timer = setTimeout(() => settle('does not answer on the reverse connection'), timeoutMs);
    socket.on('readable', onReadable).on('end', onEnd).on('close', onEnd);
    if (socket.destroyed) onEnd();
  });
}
