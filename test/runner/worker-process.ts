// One worker as the runner sees it: a process that runs one file at a time, and is ended when a test hangs.

import { type ChildProcess, fork } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { TestOutcome, ToRunner } from './messages.js';
import { ASK_FD } from './witness.js';

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url));
/** A test that never ends takes memory, too: it is to end this process, not the machine. */
const MAX_HEAP_MB = 3_072;
/** Mocha's own time-out comes first; it can't where the event loop stands still. */
const PATIENCE_MS = 10_000;
/** For tests that switched mocha's time-out off. */
const LONGEST_TEST_MS = 300_000;
/** How long the witness may take to say where a process hangs. */
const WITNESS_MS = 3_000;
/** What is kept of a worker's output, to be shown where it fails. */
const MAX_OUTPUT_CHARS = 20_000;

export interface FileResult {
  readonly file: string;
  readonly durationMs: number;
  readonly outcomes: readonly TestOutcome[];
}

export interface WorkerOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly patienceMs?: number | undefined;
}

export class WorkerProcess {
  readonly #options: WorkerOptions;
  #child: ChildProcess | undefined;
  #output = '';

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** Runs one file; a process that dies or hangs meanwhile counts as a failed test, and the next file gets a new one. */
  async run(file: string): Promise<FileResult> {
    const child = (this.#child ??= this.#start());
    const startedAt = performance.now();
    const outcomes: TestOutcome[] = [];
    this.#output = '';
    let current = 'loading the file';
    let timer: NodeJS.Timeout | undefined;
    let hung: string | undefined;
    const watch = (timeoutMs: number): void => {
      clearTimeout(timer);
      const { patienceMs = PATIENCE_MS } = this.#options;
      timer = setTimeout(
        () => {
          hung = `no end after ${Math.round((timeoutMs + patienceMs) / 1_000)} s`;
          this.#endHanging(child);
        },
        (timeoutMs || LONGEST_TEST_MS) + patienceMs,
      );
    };
    watch(LONGEST_TEST_MS);
    await new Promise<void>((resolve) => {
      const onMessage = (message: ToRunner): void => {
        if (message.type === 'begin') {
          current = message.title;
          watch(message.timeoutMs);
        } else if (message.type === 'end') outcomes.push(message.outcome);
        else if (message.type === 'done') settle();
      };
      const onExit = (code: number | null, signal: string | null): void => {
        const end = hung ?? `the process ended with ${signal ?? code}`;
        const error = `${end}\n${this.#output}`;
        outcomes.push({ title: current, state: 'failed', durationMs: 0, error });
        this.#child = undefined;
        settle();
      };
      const settle = (): void => {
        clearTimeout(timer);
        child.off('message', onMessage);
        child.off('close', onExit);
        resolve();
      };
      child.on('message', onMessage);
      child.on('close', onExit);
      child.send({ file });
    });
    return { file, durationMs: performance.now() - startedAt, outcomes };
  }

  #start(): ChildProcess {
    const stdio: ('ignore' | 'pipe' | 'ipc')[] = ['ignore', 'pipe', 'pipe', 'pipe', 'ipc'];
    const execArgv = ['--import', 'tsx', `--max-old-space-size=${MAX_HEAP_MB}`];
    const child = fork(WORKER, { stdio, execArgv, env: this.#options.env });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-MAX_OUTPUT_CHARS);
      });
    }
    // Unread, it would hold back the news that the process has ended.
    (child.stdio[ASK_FD] as Duplex).resume().on('error', () => undefined);
    child.on('error', () => undefined);
    return child;
  }

  #endHanging(child: ChildProcess): void {
    (child.stdio[ASK_FD] as Duplex).write('?');
    setTimeout(() => child.kill('SIGKILL'), WITNESS_MS);
  }

  /** Ends the process. */
  close(): void {
    this.#child?.removeAllListeners('close').kill('SIGKILL');
    this.#child = undefined;
  }
}
