// What a run of many files says: a line a file, each failure in full, the slowest tests, and the sums.

import type { Writable } from 'node:stream';
import type { TestOutcome } from './messages.js';
import type { FileResult } from './worker-process.js';

const SLOWEST = 10;

export class Report {
  readonly #out: Writable;
  readonly #results: FileResult[] = [];
  readonly #startedAt = performance.now();

  constructor(out: Writable) {
    this.#out = out;
  }

  add(result: FileResult): void {
    this.#results.push(result);
    const { file, durationMs, outcomes } = result;
    const failed = outcomes.filter(({ state }) => state === 'failed');
    const mark = failed.length > 0 ? 'FAILED' : 'ok';
    this.#line(`${mark.padEnd(6)} ${seconds(durationMs)} ${count(outcomes, 'passed')} ${file}`);
    for (const { title, error = '' } of failed) {
      this.#line(`\n  ${title}\n${error.replace(/^/gm, '    ')}\n`);
    }
  }

  /** Files that took at least so many seconds. */
  seconds(atLeast: number): Record<string, number> {
    const long = this.#results
      .map(({ file, durationMs }) => [file, Math.round(durationMs / 1_000)] as const)
      .filter(([, taken]) => taken >= atLeast)
      .sort(([, a], [, b]) => b - a);
    return Object.fromEntries(long);
  }

  /** Writes the end. Returns whether all is well: something ran, and nothing failed. */
  close(): boolean {
    const outcomes = this.#results.flatMap(({ outcomes }) => outcomes);
    const [passed, failed, skipped] = (['passed', 'failed', 'skipped'] as const).map(
      (state) => outcomes.filter((outcome) => outcome.state === state).length,
    );
    this.#line('\nthe slowest tests:');
    for (const { title, durationMs } of slowest(outcomes)) {
      this.#line(`  ${seconds(durationMs)} ${title}`);
    }
    for (const { title, state } of outcomes) {
      if (state === 'failed') this.#line(`failed: ${title}`);
      if (state === 'skipped') this.#line(`skipped: ${title}`);
    }
    this.#line(
      `\n${this.#results.length} files in ${seconds(performance.now() - this.#startedAt)}`,
    );
    this.#line(`${passed} passed, ${failed} failed, ${skipped} skipped`);
    return failed === 0 && passed! > 0;
  }

  #line(text: string): void {
    this.#out.write(`${text}\n`);
  }
}

function slowest(outcomes: readonly TestOutcome[]): TestOutcome[] {
  return [...outcomes].sort((a, b) => b.durationMs - a.durationMs).slice(0, SLOWEST);
}

function count(outcomes: readonly TestOutcome[], state: TestOutcome['state']): string {
  return String(outcomes.filter((outcome) => outcome.state === state).length).padStart(4);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`.padStart(7);
}
