// Many senders, one receiver, and a relay between them that can only pass on so much to it: how much piles up there. Both
// sides are the state machines themselves, with the memory and the windows that a process shares among its peers.

import { randomUUID } from 'node:crypto';
import { type Parcel, PeerState } from '../../../src/protocol/peer/peer-state.js';
import { FRAMES } from '../../../src/protocol/wire/encoding.js';
import { eventBytes } from '../../../src/protocol/wire/payload.js';
import { SessionMemory } from '../../../src/tunnel/memory/session-memory.js';
import { WindowShare } from '../../../src/tunnel/memory/window-share.js';
import { Clock } from './simulated-network.js';

/** Of the plaintext of an event: what fits 65,536 bytes of JSON. */
const CAPACITY_BYTES = 40_960;
const TICK_MS = 10;

export interface SubscriberScenario {
  readonly senders: number;
  /** Of each sender, all of which send as fast as they may. */
  readonly streams: number;
  /** From a sender to the relay and from there to the receiver, each, and back. */
  readonly delayMs: number;
  /** What the relay takes of all senders, and what it passes on. In bytes of JSON a second. */
  readonly intakePerSecond: number;
  readonly drainPerSecond: number;
  /** The receiver reads nothing in that time. */
  readonly standstill?: { readonly fromMs: number; readonly toMs: number };
  readonly untilMs: number;
}

export interface Piled {
  /** The most that waited at the relay at once, in bytes of JSON. */
  readonly mostBytes: number;
  /** Of payload that arrived. */
  readonly arrivedBytes: number;
}

interface Pair {
  readonly sender: PeerState;
  readonly receiver: PeerState;
}

/** Runs it to its end. */
export function pileUp(scenario: SubscriberScenario): Piled {
  const clock = new Clock();
  const { delayMs, standstill } = scenario;
  const [windows, memory] = [new WindowShare(), new SessionMemory()];
  const waiting: { readonly bytes: number; readonly deliver: () => void }[] = [];
  let [waitingBytes, mostBytes, arrivedBytes, intakeFreeAt, drainFreeAt] = [0, 0, 0, 0, 0];

  const receive = ({ receiver }: Pair, parcels: readonly Parcel[]): void => {
    const { now } = clock;
    for (const { message } of parcels) {
      const stream = receiver.receive(message, now, true);
      if (stream === undefined) continue;
      if (stream.phase === 'dialling') stream.accept(now);
      if (message.type === 'DATA') windows.touch(stream, message.data.length, now);
      for (let data = stream.receive.take(now); data !== undefined; data = stream.receive.take(now))
        arrivedBytes += data.length;
    }
  };
  const passOn = (): void => {
    const { now } = clock;
    const isStill = standstill && now >= standstill.fromMs && now < standstill.toMs;
    if (isStill) drainFreeAt = now;
    while (!isStill && waiting.length > 0 && drainFreeAt <= now) {
      const { bytes, deliver } = waiting.shift()!;
      waitingBytes -= bytes;
      drainFreeAt =
        Math.max(drainFreeAt, now - TICK_MS) + bytes / (scenario.drainPerSecond / 1_000);
      clock.at(now + delayMs, deliver);
    }
  };
  const send = (pair: Pair): void => {
    const { now } = clock;
    const { sender, receiver } = pair;
    sender.tick(now);
    for (const stream of sender.streams.values()) {
      while (stream.send.queuedBytes < 256 * 1024) stream.send.write(Buffer.alloc(64 * 1024));
    }
    // The relay reads no further from anybody while it is busy: TCP holds senders back.
    while (intakeFreeAt <= now) {
      const parcels = sender.pull(now, CAPACITY_BYTES);
      if (parcels.length === 0) break;
      const bytes = sizeOf(parcels);
      intakeFreeAt =
        Math.max(intakeFreeAt, now - TICK_MS) + bytes / (scenario.intakePerSecond / 1_000);
      clock.at(now + delayMs, () => {
        waiting.push({ bytes, deliver: () => receive(pair, parcels) });
        waitingBytes += bytes;
        mostBytes = Math.max(mostBytes, waitingBytes);
      });
    }
    receiver.tick(now);
    for (
      let said = receiver.pull(now, CAPACITY_BYTES);
      said.length > 0;
      said = receiver.pull(now, CAPACITY_BYTES)
    ) {
      const messages = said.map(({ message }) => message);
      clock.at(now + 2 * delayMs, () => {
        for (const message of messages) sender.receive(message, clock.now, true);
      });
    }
  };

  const pairs = Array.from({ length: scenario.senders }, (): Pair => {
    const common = { newKey: () => randomUUID() as string, now: 0 };
    const alone = new SessionMemory();
    const sender = new PeerState({
      ...common,
      role: 'entry',
      windowBytes: () => new WindowShare().windowBytes,
      memory: alone.of({}),
      flightShareBytes: () => alone.flightShareBytes,
    });
    const receiver = new PeerState({
      ...common,
      role: 'exit',
      windowBytes: () => windows.windowBytes,
      memory: memory.of({}),
      flightShareBytes: () => memory.flightShareBytes,
    });
    sender.suggest(true, 0, 2);
    for (let count = 0; count < scenario.streams; count += 1) sender.open('x.nostr:443', 0);
    return { sender, receiver };
  });
  for (let now = 0, turn = 0; now < scenario.untilMs; now += TICK_MS, turn += 1) {
    clock.at(now, () => {
      passOn();
      // Another one begins each time.
      for (let index = 0; index < pairs.length; index += 1)
        send(pairs[(index + turn) % pairs.length]!);
    });
  }
  while (clock.now < scenario.untilMs && clock.step());
  return { mostBytes, arrivedBytes };
}

function sizeOf(parcels: readonly Parcel[]): number {
  const { length } = FRAMES.encode(parcels.map(({ message }) => message));
  return eventBytes(length, 'nip44');
}
