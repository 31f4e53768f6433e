// Answers as origins write them, allowed and forbidden, cut anywhere: the bytes, and what a client may see of them.
//
// `either` stands for: a reset behind the last byte (a race), HTTP/1.0 with chunks, framing that is
// forbidden and that readers differ about, and heads that a careful reader may refuse.

import type { Random } from '../support/random.js';
import { chunked, type Draft, hasNoBody, linesOf, pick } from './draft.js';
import { ODDITIES } from './oddities.js';
import { type Answer, bytesOf, type Outcome, type Request, type Sight } from './plan.js';

export function makeAnswer(random: Random, id: number, request: Request): Answer {
  const draft = begin(random, id, request);
  addInterim(draft);
  addFields(draft);
  if (random.chance(0.12)) draft.lineEnd = '\n';
  const isOdd = random.chance(0.2);
  if (isOdd) ODDITIES[random.integer(ODDITIES.length)]!(draft);
  else if (random.chance(0.06)) addLeftover(draft);
  return { ...finish(draft), isOdd: isOdd || draft.lineEnd === '\n' };
}

function begin(random: Random, id: number, request: Request): Draft {
  const status = pick(random, [200, 200, 200, 200, 201, 206, 301, 404, 500, 204, 304]);
  const version = random.chance(0.2) ? '1.0' : '1.1';
  const none = hasNoBody(request.method, status);
  const framing = pick(random, version === '1.0' ? ['length', 'close'] : FRAMINGS);
  const end = framing === 'close' && !none ? 'fin' : random.chance(0.15) ? 'fin' : 'keep';
  return {
    random,
    request,
    version,
    status,
    reason: pick(random, [' OK', ' OK', ' OK', ' ', '', ' Très Bien', ' A longer one, (really)']),
    interim: [],
    fields: [],
    seen: [],
    framing: none && random.chance(0.4) ? 'none' : framing,
    body: bytesOf(id, sizeOf(random)),
    trailers: [],
    lineEnd: '\r\n',
    leftover: '',
    end,
    outcome: 'whole',
    isSettled: false,
    payload: undefined,
    wire: undefined,
    text: [],
  };
}

const FRAMINGS = ['length', 'length', 'chunked', 'chunked', 'close'] as const;

function sizeOf(random: Random): number {
  const kind = random.next();
  if (kind < 0.1) return 0;
  if (kind < 0.5) return random.integer(100);
  if (kind < 0.9) return random.integer(8_000);
  if (kind < 0.98) return random.integer(70_000);
  return 100_000 + random.integer(500_000);
}

function addInterim(draft: Draft): void {
  const { random } = draft;
  if (draft.version === '1.0' || !random.chance(0.15)) return;
  for (let left = 1 + random.integer(3); left > 0; left -= 1) {
    const status = pick(random, [100, 102, 103, 103]);
    const fields = status === 103 ? ['Link', `</${random.integer(99)}.css>; rel=preload`] : [];
    draft.interim.push({ status, fields });
  }
}

function addFields(draft: Draft): void {
  const { random } = draft;
  for (let left = random.integer(6); left > 0; left -= 1) {
    const name = pick(random, ['X-A', 'x-b', 'Set-Cookie', 'Set-Cookie', 'ETag', 'Vary', 'x-C']);
    const value = pick(random, ['a', 'b=1; Path=/', '', '"x, y"', 'caf\xe9', 'a  b', ':', '=']);
    if (name === 'ETag' && draft.seen.includes(name)) continue;
    draft.fields.push(name, value);
    draft.seen.push(name, value);
  }
  if (random.chance(0.02)) addLong(draft);
  if (draft.framing === 'chunked' && random.chance(0.3)) {
    draft.trailers.push('X-T', String(random.integer(1_000)), 'X-U', 'caf\xe9');
    if (random.chance(0.5)) draft.fields.push('Trailer', 'X-T');
  }
  if (draft.end === 'fin' && random.chance(0.5)) draft.fields.push('Connection', 'close');
  if (random.chance(0.05)) draft.fields.push('Connection', 'X-Hop', 'X-Hop', '1');
}

/** Heads of up to 128 KB pass. */
function addLong({ random, fields, seen, text }: Draft): void {
  const length = random.integer(100_000);
  text.push(`long field ${length}`);
  fields.push('X-Long', 'l'.repeat(length));
  seen.push('X-Long', 'l'.repeat(length));
}

/** What follows an answer is nobody's, and must not be taken for the next one. */
function addLeftover(draft: Draft): void {
  if (draft.end === 'fin' && draft.framing === 'close') return;
  if (draft.body.length > 8_000) draft.body = draft.body.subarray(0, 8_000);
  draft.leftover = pick(draft.random, [
    'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL',
    '\r\n',
    'EVIL',
    '0\r\n\r\n',
  ]);
  draft.text.push(`leftover ${JSON.stringify(draft.leftover.slice(0, 8))}`);
}

function finish(draft: Draft): Omit<Answer, 'isOdd'> {
  const { random, request } = draft;
  const head = headOf(draft);
  const payload = hasNoBody(request.method, draft.status)
    ? Buffer.alloc(0)
    : (draft.payload ?? framed(draft));
  const whole = draft.wire ?? Buffer.concat([head, payload]);
  const { wire, ...fate } = breakOff(draft, whole, head.length);
  const all = Buffer.concat([wire, Buffer.from(draft.leftover, 'latin1')]);
  const name = `${draft.version} ${draft.status} ${draft.framing} ${draft.body.length}`;
  const interim = draft.interim.map(({ status }) => status).join();
  const end = draft.lineEnd === '\n' ? 'LF' : '';
  return {
    text: [name, interim, end, ...draft.text].filter((word) => word !== '').join(', '),
    ...asksFor(random, request),
    wire: all,
    cuts: draft.leftover === '' ? cutsOf(random, all.length) : [],
    pauseMs: random.chance(0.1) ? 1 + random.integer(4) : 0,
    ...fate,
  };
}

/** How much of a request the origin wants before it answers. */
function asksFor(random: Random, request: Request): Pick<Answer, 'afterBytes' | 'continues'> {
  const { length } = request.body;
  const continues = pick(random, ['asks', 'asks', 'asks', 'silent', 'refuses'] as const);
  if (request.expectsContinue && continues === 'refuses') return { afterBytes: 0, continues };
  return { afterBytes: random.chance(0.15) ? random.integer(length + 1) : length, continues };
}

/** Now and then the origin ends in the middle, or falls silent. */
function breakOff(
  draft: Draft,
  whole: Buffer,
  headBytes: number,
): Pick<Answer, 'wire' | 'end' | 'outcome' | 'sight'> {
  const { random, outcome, request } = draft;
  const sight = sightOf(draft);
  const none = hasNoBody(request.method, draft.status);
  if (draft.leftover !== '' || draft.isSettled || !random.chance(0.12)) {
    return { wire: whole, end: draft.end, outcome, sight };
  }
  const end = random.chance(0.5) ? 'fin' : 'reset';
  const at = random.chance(0.2) ? whole.length : random.integer(whole.length);
  draft.text.push(`broken off at ${at} of ${whole.length}`);
  const wire = whole.subarray(0, at);
  if (at < headBytes) return { wire, end, outcome: 'refused', sight };
  if (none) return { wire, end, outcome: end === 'fin' ? outcome : 'either', sight };
  if (draft.framing === 'close') {
    // An end looks like the end. So does a reset, where it comes together with the last bytes: libuv tells it as an end
    // after a short read.
    const part = { ...sight, body: sight.body.subarray(0, at - headBytes) };
    const ended = end === 'fin' ? 'whole' : 'either';
    return { wire, end, outcome: weaker(outcome, ended), sight: part };
  }
  if (at === whole.length) return { wire, end, outcome: end === 'fin' ? outcome : 'either', sight };
  // All of the body, but not the end of its framing.
  const isAllBody = draft.framing === 'chunked' && at >= whole.lastIndexOf('\n0') + 1;
  return { wire, end, outcome: isAllBody ? 'either' : 'cut', sight };
}

const weaker = (a: Outcome, b: Outcome): Outcome => (a === 'whole' ? b : a);

function sightOf(draft: Draft): Sight {
  const { request, status, interim, framing } = draft;
  const none = hasNoBody(request.method, status);
  return {
    interim,
    head: { status, fields: draft.seen },
    body: none ? Buffer.alloc(0) : draft.body,
    trailers: framing === 'chunked' && !none ? draft.trailers : [],
  };
}

function headOf(draft: Draft): Buffer {
  const { interim, version, status, reason, fields, lineEnd } = draft;
  const heads = [
    ...interim.map((head) => [`HTTP/1.1 ${head.status} Interim`, ...linesOf(head.fields)]),
    [`HTTP/${version} ${status}${reason}`, ...linesOf(fields), ...framingLines(draft)],
  ];
  return Buffer.from(heads.map((head) => [...head, '', ''].join(lineEnd)).join(''), 'latin1');
}

function framingLines({ framing, body }: Draft): string[] {
  if (framing === 'length') return [`Content-Length: ${body.length}`];
  return framing === 'chunked' ? ['Transfer-Encoding: chunked'] : [];
}

function framed({ framing, body, random, trailers }: Draft): Buffer {
  return framing === 'chunked' ? chunked(random, body, trailers) : body;
}

/** All at once, in a few parts, or byte for byte as far as that is bearable. */
function cutsOf(random: Random, length: number): number[] {
  const kind = random.next();
  if (kind < 0.5 || length < 2) return [];
  if (kind < 0.93) {
    const cuts = Array.from(
      { length: 1 + random.integer(4) },
      () => 1 + random.integer(length - 1),
    );
    return [...new Set(cuts)].sort((a, b) => a - b);
  }
  const from = random.chance(0.6) ? 0 : random.integer(length);
  const count = Math.min(length - from - 1, 200);
  return Array.from({ length: Math.max(0, count) }, (_, at) => from + at + 1);
}
