// CONNECTR at the exit: a TCP connection back to the entry that asked for it, if the policy lets it go there.
//
//   CONNECTR ─ policy.judgeReverse ─ dial.ts ── key, 0x01, TLS ── entry's listener

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { NwsError, toNwsError } from '../../errors.js';
import { presentKey } from '../../tunnel/reverse/dial.js';
import { SecuredStream } from '../../tunnel/secured/stream.js';
import type { IncomingStream } from '../../tunnel/session.js';
import type { Policy } from '../policy/policy.js';
import { dialGuarded } from './dial.js';

/** The entry falls back on relays, so there is no use in waiting long. */
const CONNECT_TIMEOUT_MS = 3_000;
const ANSWER_TIMEOUT_MS = 2_000;

/**
 * Resolves with the connection that the stream's bytes are to take.
 * @throws NwsError `reverse_unreachable`, on which the entry asks again without; what the policy says about the
 *   address stays here.
 */
export async function dialBack(
  { key, reverse, signal }: Pick<IncomingStream, 'key' | 'reverse' | 'signal'>,
  policy: Policy,
): Promise<Duplex> {
  if (reverse === undefined) throw unreachable(new Error('no address'));
  let socket: Socket | undefined;
  const giveUp = (): void => {
    socket?.destroy();
  };
  try {
    const { host, port } = policy.judgeReverseDestination(reverse.address);
    const judge = (address: string): void => policy.judgeReverse(address, port);
    socket = await dialGuarded({ host, port, judge, signal, timeoutMs: CONNECT_TIMEOUT_MS });
    signal.addEventListener('abort', giveUp, { once: true });
    const limits = { timeoutMs: ANSWER_TIMEOUT_MS };
    return new SecuredStream(await presentKey(socket, key, reverse.secret, limits));
  } catch (error) {
    socket?.destroy();
    throw unreachable(error);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

function unreachable(cause: unknown): NwsError {
  const { code } = toNwsError(cause);
  const why = code === 'destination_ip_prohibited' ? 'does not connect' : 'can not connect';
  return new NwsError('reverse_unreachable', `this exit ${why} to that public address`, { cause });
}
