// The SOCKS handshake without a connection: what is said to what, in whatever pieces it comes, garbage included.

import { expect } from 'chai';
import fc from 'fast-check';
import { Handshake, type Step } from '../../../src/proxy/socks/handshake.js';

const GREETING = [5, 1, 0];
const NO_LOGIN = Buffer.from([5, 0]);
const LOGIN = Buffer.from([5, 2]);
const NAME = named('a.nostr', 443);

function named(name: string, port: number): number[] {
  return [5, 1, 0, 3, name.length, ...Buffer.from(name), port >> 8, port & 255];
}

function login(user: string, password: string): number[] {
  const [name, word] = [Buffer.from(user), Buffer.from(password)];
  return [1, name.length, ...name, word.length, ...word];
}

/** All steps of a handshake, with its bytes in pieces. Whoever is asked about "Ann" and "right" says yes. */
function stepsOf(wantsLogin: boolean, pieces: readonly Uint8Array[]): Step[] {
  const handshake = new Handshake(wantsLogin);
  const steps: Step[] = [];
  let rest = Buffer.alloc(0);
  for (const piece of pieces) {
    if (isOver(steps)) rest = Buffer.concat([rest, piece]);
    else {
      handshake.take(Buffer.from(piece));
      for (let step = handshake.next(); step.kind !== 'wait'; step = handshake.next()) {
        steps.push(step);
        if (step.kind !== 'login') continue;
        steps.push(handshake.judged(step.user === 'Ann' && step.password === 'right'));
      }
    }
  }
  const last = steps.at(-1);
  if (last?.kind === 'asked') steps.push({ ...last, rest: Buffer.concat([last.rest, rest]) });
  return steps.filter((step, at) => step.kind !== 'asked' || at === steps.length - 1);
}

function isOver(steps: readonly Step[]): boolean {
  return /^(asked|refused)$/.test(steps.at(-1)?.kind ?? '');
}

const steps = (wantsLogin: boolean, ...bytes: number[][]): Step[] =>
  stepsOf(wantsLogin, [Buffer.from(bytes.flat())]);

/** The last bytes to a client that is refused, and why. */
function refusal(wantsLogin: boolean, ...bytes: number[][]): [bytes: number[], line: string] {
  const last = steps(wantsLogin, ...bytes).at(-1);
  if (last?.kind !== 'refused') throw new Error(`not refused: ${last?.kind}`);
  return [[...last.bytes], last.failure.line];
}

const replied = (code: number): number[] => [5, code, 0, 1, 0, 0, 0, 0, 0, 0];

describe('SOCKS5: the handshake', () => {
  const asked = (request: number[]): Step | undefined => steps(false, GREETING, request).at(-1);

  for (const [what, request, host, port] of [
    ['a name', NAME, 'a.nostr', 443],
    ['a name of 255 characters', named('a'.repeat(255), 1), 'a'.repeat(255), 1],
    ['an IPv4 address', [5, 1, 0, 1, 127, 0, 0, 1, 255, 255], '127.0.0.1', 65_535],
    [
      'an IPv6 address',
      [5, 1, 0, 4, 32, 1, 13, 184, ...Array(11).fill(0), 1, 0, 80],
      '2001:db8::1',
      80,
    ],
    ['an IPv6 address as a name', named('::1', 80), '::1', 80],
    ['an IPv6 address in brackets', named('[::1]', 80), '::1', 80],
  ] as const) {
    it(`reads ${what}`, () => {
      const rest = Buffer.alloc(0);
      expect(asked([...request])).to.deep.equal({ kind: 'asked', at: { host, port }, rest });
    });
  }

  it('keeps what the client says beyond its request', () => {
    const last = asked([...NAME, 22, 3, 1]);
    expect(last).to.deep.include({ kind: 'asked', rest: Buffer.from([22, 3, 1]) });
  });

  it('asks for a login only where one is wanted', () => {
    const chosen = (wantsLogin: boolean, ...methods: number[]): Step | undefined =>
      steps(wantsLogin, [5, methods.length, ...methods]).at(0);
    expect(chosen(false, 0)).to.deep.equal({ kind: 'send', bytes: NO_LOGIN });
    expect(chosen(false, 1, 2, 0)).to.deep.equal({ kind: 'send', bytes: NO_LOGIN });
    expect(chosen(true, 0, 1, 2)).to.deep.equal({ kind: 'send', bytes: LOGIN });
    // Nobody asks, but a client that has nothing else is let in, as in HTTP.
    expect(chosen(false, 2)).to.deep.equal({ kind: 'send', bytes: LOGIN });
    expect(steps(false, [5, 1, 2], login('x', ''), NAME).map(({ kind }) => kind)).to.deep.equal([
      'send',
      'send',
      'asked',
    ]);
  });

  it('refuses methods that are none, where the client understands it', () => {
    expect(refusal(true, GREETING)).to.deep.equal([
      [5, 255],
      'the proxy wants a user and a password (give user and password like this: socks5h://user:password@host:port)',
    ]);
    expect(refusal(false, [5, 1, 1])[0]).to.deep.equal([5, 255]);
    expect(refusal(false, [5, 0])[0]).to.deep.equal([5, 255]);
  });

  it('takes a login that is right, in UTF-8, and no other', () => {
    const told = steps(true, [5, 1, 2], login('Ann', 'right'), NAME);
    expect(told.map(({ kind }) => kind)).to.deep.equal(['send', 'login', 'send', 'asked']);
    expect(told[2]).to.deep.equal({ kind: 'send', bytes: Buffer.from([1, 0]) });
    const [, wrong] = steps(true, [5, 1, 2], login('Ann', 'ü:'));
    expect(wrong).to.deep.equal({ kind: 'login', user: 'Ann', password: 'ü:' });
    expect(refusal(true, [5, 1, 2], login('Ann', 'ü:'))[0]).to.deep.equal([1, 1]);
    expect(refusal(true, [5, 1, 2], login('', ''))[0]).to.deep.equal([1, 1]);
    expect(refusal(true, [5, 1, 2], [5, 0])[0]).to.deep.equal([1, 1]);
  });

  it('says which part of a request means nothing to it', () => {
    const toldOf = (...request: number[]): number[] => refusal(false, GREETING, request)[0];
    expect(toldOf(5, 2, ...NAME.slice(2))).to.deep.equal(replied(7));
    expect(toldOf(5, 3, ...NAME.slice(2))).to.deep.equal(replied(7));
    expect(toldOf(5, 0xf0, ...NAME.slice(2))).to.deep.equal(replied(7));
    expect(toldOf(5, 1, 0, 2)).to.deep.equal(replied(8));
    expect(toldOf(4, 1)).to.deep.equal(replied(1));
    for (const name of ['', ' ', 'ü.example', 'a b', 'x:y', 'a\r\nb', 'a/b', 'a@b', '[::1']) {
      const bytes = Buffer.from(name);
      expect(toldOf(5, 1, 0, 3, bytes.length, ...bytes, 0, 80), name).to.deep.equal(replied(1));
    }
    expect(toldOf(...named('a.example', 0))).to.deep.equal(replied(1));
  });

  it('leaves SOCKS4 without an answer, and says what to use', () => {
    const [bytes, line] = refusal(false, [4, 1, 0, 80, 127, 0, 0, 1, 0]);
    expect(bytes).to.deep.equal([]);
    expect(line).to.match(/SOCKS4.*socks5h:/);
  });

  const messages = fc.oneof(
    fc.constantFrom(
      [...GREETING, ...NAME],
      [5, 2, 0, 2, ...login('Ann', 'right'), ...NAME, 1, 2, 3],
      [5, 1, 2, ...login('Ann', 'wrong'), ...NAME],
      [...GREETING, 5, 1, 0, 1, 1, 2, 3, 4, 0, 80],
      [...GREETING, 5, 1, 0, 4, ...Array(16).fill(7), 0, 80],
    ),
    fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 40 }),
    fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 40 }).map((tail) => [5, 1, 0, ...tail]),
    fc
      .array(fc.integer({ min: 0, max: 255 }), { maxLength: 40 })
      .map((tail) => [5, 1, 0, 5, 1, 0, ...tail]),
  );

  it('comes to the same whatever pieces the bytes come in', () => {
    const cuts = fc.array(fc.nat(60), { maxLength: 60 });
    const same = fc.property(messages, cuts, fc.boolean(), (message, at, wantsLogin) => {
      const bytes = Buffer.from(message);
      const ends = [...new Set([0, ...at, bytes.length])].sort((a, b) => a - b);
      const pieces = ends.slice(1).map((end, index) => bytes.subarray(ends[index], end));
      expect(stepsOf(wantsLogin, pieces)).to.deep.equal(stepsOf(wantsLogin, [bytes]));
    });
    fc.assert(same, { numRuns: 2_000 });
  });

  it('comes to an end with whatever is long enough', () => {
    const ends = fc.property(messages, fc.boolean(), (message, wantsLogin) => {
      const bytes = Buffer.concat([Buffer.from(message), Buffer.alloc(1_100, message.length)]);
      expect(isOver(stepsOf(wantsLogin, [bytes]))).to.equal(true);
    });
    fc.assert(ends, { numRuns: 2_000 });
  });
});
