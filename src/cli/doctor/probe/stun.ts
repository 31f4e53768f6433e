// Asks a STUN server once more, on a socket of its own that is connected to it: only such a one is told when nothing
// listens there (ICMP), which shows that UDP gets through. The socket of direct paths can't tell that from silence.

import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { inTime } from '../../../common/waiting.js';
import type { HostPort } from '../../../protocol/direct/servers.js';
import { decodeStun, encodeStunRequest, TRANSACTION_BYTES } from '../../../protocol/direct/stun.js';

const ASK_AT_MS = [0, 250, 600];
const TIMEOUT_MS = 1_200;
const LOOKUP_TIMEOUT_MS = 2_000;
const MAX_ADDRESSES = 4;

/** Of several addresses the first of these that one of them has earned. */
const WORDS = ['answers', 'refuses', 'is silent', 'is out of reach'] as const;
export type StunWord = (typeof WORDS)[number] | 'has no address';

/** Never throws; takes no longer than two seconds for the name and one for the answer. */
export async function askStun({ host, port }: HostPort): Promise<StunWord> {
  const looking = lookup(host, { all: true });
  const found = (await inTime(looking, LOOKUP_TIMEOUT_MS).catch(() => undefined)) ?? [];
  const asked = found.slice(0, MAX_ADDRESSES).map(({ address }) => askAt(address, port));
  const words = await Promise.all(asked);
  return WORDS.find((word) => words.includes(word)) ?? 'has no address';
}

async function askAt(address: string, port: number): Promise<StunWord> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  const transaction = randomBytes(TRANSACTION_BYTES);
  const timers: NodeJS.Timeout[] = [];
  try {
    return await new Promise<StunWord>((resolve) => {
      const fail = (error: NodeJS.ErrnoException | null): void => {
        if (error !== null) resolve(error.code === 'ECONNREFUSED' ? 'refuses' : 'is out of reach');
      };
      const ask = (): void => socket.send(encodeStunRequest(transaction), fail);
      socket.on('error', fail).on('message', (bytes) => {
        if (decodeStun(bytes)?.transaction.equals(transaction)) resolve('answers');
      });
      timers.push(setTimeout(() => resolve('is silent'), TIMEOUT_MS));
      socket.once('connect', () => {
        for (const at of ASK_AT_MS) timers.push(setTimeout(ask, at));
      });
      socket.connect(port, address);
    });
  } finally {
    for (const timer of timers) clearTimeout(timer);
    socket.close();
  }
}
