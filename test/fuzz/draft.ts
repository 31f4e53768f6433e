// An answer in the making, and the parts of which answers.ts and oddities.ts make it.

import type { Random } from '../support/random.js';
import type { Answer, Head, Outcome, Request } from './plan.js';

/** An answer in the making. */
export interface Draft {
  readonly random: Random;
  readonly request: Request;
  version: '1.0' | '1.1';
  status: number;
  reason: string;
  interim: Head[];
  /** What the origin writes, and what the client has to see of it. */
  fields: string[];
  seen: string[];
  framing: 'none' | 'length' | 'chunked' | 'close';
  body: Buffer;
  trailers: string[];
  lineEnd: string;
  /** Behind the answer, where nothing may come. */
  leftover: string;
  end: Answer['end'];
  outcome: Outcome;
  /** Nothing else may be changed: it isn't broken off. */
  isSettled: boolean;
  /** Replaces the body's bytes as framed. */
  payload: Buffer | undefined;
  /** Replaces the wire. */
  wire: Buffer | undefined;
  readonly text: string[];
}

const BODYLESS = new Set([204, 304]);

export const hasNoBody = (method: string, status: number): boolean =>
  method === 'HEAD' || BODYLESS.has(status);

export function linesOf(fields: readonly string[]): string[] {
  const lines: string[] = [];
  for (let at = 0; at < fields.length; at += 2) lines.push(`${fields[at]}: ${fields[at + 1]}`);
  return lines;
}

export function chunked(random: Random, body: Buffer, trailers: readonly string[]): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const part = body.subarray(at, at + 1 + random.integer(random.chance(0.2) ? 9 : body.length));
    const hex = part.length.toString(16);
    const size = pick(random, [hex, hex, hex.toUpperCase(), `000${hex}`]);
    const extension = pick(random, ['', '', '', ';a', ';a=b', ';a="b c";d']);
    parts.push(Buffer.from(`${size}${extension}\r\n`), part, Buffer.from('\r\n'));
    at += part.length;
    if (parts.length > 300)
      random = { ...random, chance: () => false, integer: (below) => below - 1 };
  }
  const end = [pick(random, ['0', '000', '0;a=b']), ...linesOf(trailers), '', ''].join('\r\n');
  return Buffer.concat([...parts, Buffer.from(end, 'latin1')]);
}

export function pick<const T>(random: Random, from: readonly T[]): T {
  return from[random.integer(from.length)]!;
}
