// What one exchange consists of: the request and how its client behaves, the answer and how its origin behaves,
// and what the client may then see. Types and the way to say a plan in a line; made by requests.ts and answers.ts.

export type Way = 'absolute' | 'absolute-tls' | 'connect' | 'connect-tls' | 'clear' | 'h2';

/**
 * What the client has to see:
 * - `whole`: exactly the answer of the plan
 * - `cut`: a failure page in its place, or a part of it whose end can't be taken for the whole
 * - `refused`: a failure page, since the origin never got as far as a head
 * - `either`: `whole` or `cut`; only where what the origin does is forbidden or a race, see answers.ts
 */
export type Outcome = 'whole' | 'cut' | 'refused' | 'either';

/** An answer as a client sees it. Fields are flat pairs, as in `rawHeaders`. */
export interface Sight {
  readonly interim: readonly Head[];
  readonly head: Head;
  readonly body: Buffer;
  readonly trailers: readonly string[];
}

export interface Head {
  readonly status: number;
  readonly fields: readonly string[];
}

export interface Answer {
  /** In words, for a failure's report. */
  readonly text: string;
  /** How much of the request's body the origin reads before it answers, in bytes. */
  readonly afterBytes: number;
  /** Whether `Expect: 100-continue` is answered by a 100, not at all, or by the answer itself. */
  readonly continues: 'asks' | 'silent' | 'refuses';
  /** Everything that the origin writes, but for that 100. */
  readonly wire: Buffer;
  /** Where `wire` is cut into writes. */
  readonly cuts: readonly number[];
  /** Between two writes; 0 is a turn of the event loop. */
  readonly pauseMs: number;
  /** `silence`: nothing more comes, and nothing ends. */
  readonly end: 'keep' | 'fin' | 'reset' | 'silence';
  readonly outcome: Outcome;
  readonly sight: Sight;
  /** Breaks the letter of HTTP: only a lenient reader takes it for whole. */
  readonly isOdd: boolean;
}

export interface Request {
  readonly method: string;
  readonly version: '1.0' | '1.1';
  readonly fields: readonly string[];
  readonly framing: 'none' | 'length' | 'chunked';
  readonly body: Buffer;
  readonly expectsContinue: boolean;
  readonly wantsTrailers: boolean;
  /** Where what the client writes is cut. */
  readonly pieces: number;
}

/** What the client does beside of asking and reading. */
export interface Habit {
  readonly reading: 'fast' | 'slow';
  /** Leaves when it has so many bytes of the answer. */
  readonly leavesAtBytes?: number;
  /** Leaves when it has waited for so long. */
  readonly leavesAfterMs?: number;
  readonly leavesBy: 'fin' | 'reset';
  /** Ends its side behind the request. */
  readonly endsEarly: boolean;
  /** Leaves after so many bytes of its own body. */
  readonly uploadsOnly?: number;
}

export interface Switch {
  /** What each side says in the new protocol; the first bytes come along with the heads. */
  readonly up: Buffer;
  readonly down: Buffer;
  readonly earlyUp: number;
  readonly earlyDown: number;
  /** Who ends first; `reset`: the origin breaks off behind `down`. */
  readonly ends: 'client' | 'origin' | 'reset';
}

export interface Exchange {
  readonly id: number;
  readonly request: Request;
  readonly answer: Answer;
  readonly habit: Habit;
  /** The answer is a 101, and this comes behind it. */
  readonly switch?: Switch;
}

/** Exchanges of one client, on one connection as long as it holds. */
export interface Group {
  readonly index: number;
  readonly way: Way;
  /** All requests at once. */
  readonly isPipelined: boolean;
  readonly exchanges: readonly Exchange[];
}

export const pathOf = ({ id }: Exchange): string => `/x/${id}`;

const BLOCK = Buffer.alloc(2_000_003);
for (let at = 0, state = 1; at < BLOCK.length; at += 1) {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  BLOCK[at] = state >>> 16;
}

/** Bytes that differ from exchange to exchange, without a copy. */
export function bytesOf(id: number, length: number, isRequest = false): Buffer {
  const from = ((id * 2 + Number(isRequest)) * 7_919) % (BLOCK.length - length);
  return BLOCK.subarray(from, from + length);
}

export function describeExchange(group: Group, exchange: Exchange): string {
  const { request, answer, habit } = exchange;
  const asked = [
    `${group.way}${group.isPipelined ? ' pipelined' : ''}: HTTP/${request.version} ${request.method}`,
    request.framing === 'none' ? '' : `${request.framing} ${request.body.length}`,
    request.expectsContinue ? `expect (${answer.continues})` : '',
    request.wantsTrailers ? 'te' : '',
    habit.endsEarly ? 'ends early' : '',
    habit.uploadsOnly === undefined ? '' : `sends only ${habit.uploadsOnly}`,
    habit.reading,
    habit.leavesAtBytes === undefined
      ? ''
      : `leaves at ${habit.leavesAtBytes} by ${habit.leavesBy}`,
    habit.leavesAfterMs === undefined ? '' : `leaves after ${habit.leavesAfterMs} ms`,
  ];
  const said = [
    `after ${answer.afterBytes}`,
    answer.text,
    `${answer.wire.length} bytes in ${answer.cuts.length + 1}`,
    answer.end,
    `→ ${answer.outcome}`,
  ];
  const words = [...asked, '|', ...said].filter((word) => word !== '');
  return `#${exchange.id} ${words.join(' ')}`;
}
