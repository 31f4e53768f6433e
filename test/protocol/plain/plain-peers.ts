// Peers of NIP-443 as pure state: what goes out in either way.

import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { PeerState, type PlainParcel } from '../../../src/protocol/peer/peer-state.js';
import type { Message } from '../../../src/protocol/wire/message.js';

export const NAME = 'a'.repeat(10).concat('.nostr');
export const MAX = (): number => 32_768;
const CAPACITY = 40_000;

export function peer(role: 'entry' | 'exit', take: () => boolean = () => true): PeerState {
  return new PeerState({
    role,
    windowBytes: () => 100_000,
    memory: { take, give: () => undefined },
    flightShareBytes: () => 1_000_000,
    newKey: randomUUID,
    now: 0,
  });
}

/** What goes out in the reliable way. */
export function said(state: PeerState, now: number): Message[] {
  return state.pull(now, CAPACITY).map(({ message }) => message);
}

/** What goes out in the plain way until nothing more does, in rounds of one message a stream; relays take all. */
export function plain(state: PeerState, now: number): Message[] {
  const messages: Message[] = [];
  for (;;) {
    const round: PlainParcel[] = [];
    for (let parcel = state.pullPlain(now, MAX); parcel; parcel = state.pullPlain(now, MAX)) {
      expect(round.map(({ stream }) => stream)).not.to.include(parcel.stream);
      round.push(parcel);
    }
    if (round.length === 0) return messages;
    messages.push(...round.map(({ outgoing }) => outgoing.message));
    for (const parcel of round) state.plainDone(parcel, true, now);
  }
}

export function textOf(messages: readonly Message[]): string {
  return messages
    .map((message) => (message.type === 'PLAIN' ? String(message.data) : '|'))
    .join('');
}

export const data = (key: string, text: string): Message => ({
  type: 'PLAIN',
  key,
  data: Buffer.from(text),
});
