// What went wrong within the last hour, by code: how often, and the last of each with its hint. What the log says one
// line at a time.

import type { ErrorCode, NwsError } from '../../errors.js';

const MINUTE_MS = 60_000;
const MINUTES = 60;
/** Longest text that is kept: peers may have written it. */
const MAX_TEXT = 512;

export interface Failure {
  readonly code: ErrorCode;
  /** Within the last 60 minutes. */
  readonly count: number;
  /** Of the last one, Unix ms. */
  readonly at: number;
  readonly message: string;
  readonly hint: string | undefined;
  /** The host, or whatever it was about. */
  readonly about: string;
}

interface Entry extends Omit<Failure, 'count' | 'code'> {
  /** By minute of the hour. */
  readonly counts: Uint32Array;
  /** Failures since the start. */
  total: number;
}

export class Failures {
  /** By code, of which there are some dozens. */
  readonly #entries = new Map<ErrorCode, Entry>();

  /** @param now Unix ms */
  note({ code, message, hint }: NwsError, about: string, now = Date.now()): void {
    const known = this.#entries.get(code);
    const counts = known?.counts ?? new Uint32Array(MINUTES);
    clearBetween(counts, known?.at ?? 0, now);
    counts[minuteOf(now)]! += 1;
    this.#entries.set(code, {
      counts,
      total: (known?.total ?? 0) + 1,
      at: now,
      message: clipped(message),
      hint: hint === undefined ? known?.hint : clipped(hint),
      about: clipped(about),
    });
  }

  /** Of the last hour, the newest first. */
  list(now = Date.now()): Failure[] {
    const recent = [...this.#entries].flatMap(([code, { counts, total: _, ...last }]) => {
      const current = counts.slice();
      clearBetween(current, last.at, now);
      const count = current.reduce((sum, part) => sum + part, 0);
      return count === 0 ? [] : [{ code, count, ...last }];
    });
    return recent.sort((a, b) => b.at - a.at);
  }

  /** Since the start, by code. */
  totals(): [ErrorCode, number][] {
    return [...this.#entries].map(([code, { total }]) => [code, total]);
  }
}

function minuteOf(ms: number): number {
  return Math.floor(ms / MINUTE_MS) % MINUTES;
}

/** The minutes behind the last failure are of the hour before. A clock that was set back clears nothing. */
function clearBetween(counts: Uint32Array, from: number, to: number): void {
  const passed = Math.floor(to / MINUTE_MS) - Math.floor(from / MINUTE_MS);
  for (let step = 1; step <= Math.min(passed, MINUTES); step++) {
    counts[minuteOf(from + step * MINUTE_MS)] = 0;
  }
}

function clipped(text: string): string {
  return text.slice(0, MAX_TEXT);
}
