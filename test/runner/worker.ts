// Runs test files one after the other as the runner hands them out, in this process, with mocha. A thread beside
// it can say where the process is when it no longer answers.

import { once } from 'node:events';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import Mocha from 'mocha';
import { mochaHooks } from '../support/hooks.js';
import type { ToRunner, ToWorker } from './messages.js';
import { startWitness } from './witness.js';

const TIMEOUT_MS = 20_000;
/** As Node says it itself: an error that nobody has taken. */
const UNCAUGHT_STATUS = 7;
const { EVENT_HOOK_BEGIN, EVENT_TEST_BEGIN, EVENT_TEST_FAIL, EVENT_TEST_PASS, EVENT_TEST_PENDING } =
  Mocha.Runner.constants;

function tell(message: ToRunner): void {
  process.send?.(message);
}

/** Node would wait for the witness, which is a debugger, before it ends. While mocha runs, it takes errors itself. */
process.on('uncaughtExceptionMonitor', (error) => {
  if (process.listenerCount('uncaughtException') > 0) return;
  console.error(error);
  process.exit(UNCAUGHT_STATUS);
});

async function run(file: string): Promise<void> {
  const mocha = new Mocha({ timeout: TIMEOUT_MS, rootHooks: mochaHooks, reporter: Silent });
  // What mocha's own loader does, but always by import(): required and imported, a module would be there twice.
  mocha.suite.emit('pre-require', globalThis, file, mocha);
  await import(pathToFileURL(resolve(file)).href);
  await new Promise<void>((done) => mocha.run(() => done()));
  mocha.dispose();
  tell({ type: 'done' });
}

/** Hands on what happens instead of writing it. */
class Silent extends Mocha.reporters.Base {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const begin = (runnable: Mocha.Runnable): void =>
      tell({ type: 'begin', title: runnable.fullTitle(), timeoutMs: runnable.timeout() });
    const end = (test: Mocha.Runnable, state: 'passed' | 'failed' | 'skipped', error?: Error) =>
      tell({
        type: 'end',
        outcome: {
          title: test.fullTitle(),
          state,
          durationMs: test.duration ?? 0,
          error: error && describe(error),
        },
      });
    runner.on(EVENT_TEST_BEGIN, begin);
    runner.on(EVENT_HOOK_BEGIN, begin);
    runner.on(EVENT_TEST_PASS, (test) => end(test, 'passed'));
    runner.on(EVENT_TEST_PENDING, (test) => end(test, 'skipped'));
    runner.on(EVENT_TEST_FAIL, (test, error) => end(test, 'failed', error));
  }
}

function describe(error: Error): string {
  const { message, stack = '' } = error;
  const { actual, expected } = error as { actual?: unknown; expected?: unknown };
  const { generateDiff } = Mocha.reporters.Base;
  const diff = expected === undefined ? '' : generateDiff(text(actual), text(expected));
  return `${stack.includes(message) ? stack : `${message}\n${stack}`}${diff}`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? String(value));
}

startWitness();
for (;;) {
  const [message] = (await once(process, 'message')) as [ToWorker];
  await run(message.file);
}
