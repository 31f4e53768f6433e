// What the runner and its workers say to each other.

/** To a worker: run this file. */
export interface ToWorker {
  readonly file: string;
}

export interface TestOutcome {
  readonly title: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly durationMs: number;
  /** Stack or message of what went wrong. */
  readonly error?: string | undefined;
}

export type ToRunner =
  /** A test or hook begins: what hangs from here on has this name. */
  | { readonly type: 'begin'; readonly title: string; readonly timeoutMs: number }
  | { readonly type: 'end'; readonly outcome: TestOutcome }
  | { readonly type: 'done' };
