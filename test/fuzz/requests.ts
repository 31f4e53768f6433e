// Groups of exchanges from a seed: who asks which way, for what, and how the client behaves.

import { type Random, random as seeded } from '../support/random.js';
import { makeAnswer } from './answers.js';
import { pick } from './draft.js';
import { bytesOf, type Exchange, type Group, type Habit, type Request, type Way } from './plan.js';

/** Exchanges of one group, at most; ids are counted by it. */
const MAX_GROUP = 4;

/** The group of this number; the same for the same seed, whatever else is run. */
export function makeGroup(seed: number, index: number, ways: readonly Way[]): Group {
  const random = seeded((seed ^ Math.imul(index + 1, 0x9e3779b1)) >>> 0);
  const way = pick(random, ways);
  const isPipelined = way !== 'h2' && random.chance(0.1);
  const count = 1 + random.integer(MAX_GROUP);
  const exchanges = Array.from({ length: count }, (_, at) =>
    makeExchange(random, index * MAX_GROUP + at, way, isPipelined),
  );
  return { index, way, isPipelined, exchanges };
}

function makeExchange(random: Random, id: number, way: Way, isPipelined: boolean): Exchange {
  const request = makeRequest(random, id, way, isPipelined);
  const answer = makeAnswer(random, id, request);
  const habit = makeHabit(random, request, isPipelined);
  if (habit.leavesAfterMs === undefined) return { id, request, answer, habit };
  return { id, request, answer: { ...answer, end: 'silence' }, habit };
}

function makeRequest(random: Random, id: number, way: Way, isPipelined: boolean): Request {
  const method = isPipelined ? pick(random, ['GET', 'HEAD']) : pick(random, METHODS);
  const version = way !== 'h2' && !isPipelined && random.chance(0.08) ? '1.0' : '1.1';
  const hasBody = method === 'POST' || method === 'PUT';
  const framing = hasBody
    ? pick(random, version === '1.0' ? ['length'] : ['length', 'length', 'chunked'])
    : 'none';
  const fields: string[] = [];
  if (random.chance(0.3))
    fields.push('X-C', pick(random, ['a', 'b, c', 'caf\xe9', '']), 'X-C', 'z');
  if (random.chance(0.1)) fields.push('Cookie', 'a=1; b=2');
  return {
    method,
    version,
    fields,
    framing,
    body: framing === 'none' ? Buffer.alloc(0) : bytesOf(id, uploadOf(random), true),
    expectsContinue: framing !== 'none' && version === '1.1' && way !== 'h2' && random.chance(0.15),
    wantsTrailers: version === '1.1' && random.chance(0.5),
    pieces: pick(random, [1, 1, 1, 2, 5, 40]),
  };
}

const METHODS = ['GET', 'GET', 'GET', 'GET', 'HEAD', 'POST', 'POST', 'PUT', 'DELETE', 'OPTIONS'];

function uploadOf(random: Random): number {
  const kind = random.next();
  if (kind < 0.1) return 0;
  if (kind < 0.6) return random.integer(200);
  return random.integer(kind < 0.97 ? 10_000 : 400_000);
}

function makeHabit(random: Random, request: Request, isPipelined: boolean): Habit {
  const reading = random.chance(0.15) ? 'slow' : 'fast';
  const leavesBy = random.chance(0.5) ? 'fin' : 'reset';
  const habit = { reading, leavesBy, endsEarly: false } as const;
  if (isPipelined) return habit;
  const kind = random.next();
  if (kind < 0.05) return { ...habit, leavesAtBytes: random.integer(20_000) };
  if (kind < 0.06) return { ...habit, leavesAfterMs: random.integer(20) };
  if (kind < 0.1) return { ...habit, endsEarly: true };
  if (kind < 0.16 && request.body.length > 0) {
    return { ...habit, uploadsOnly: random.integer(request.body.length) };
  }
  return habit;
}
