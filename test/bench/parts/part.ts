// A process of the bench: started with a probe inside, which tells its CPU time and memory, and ended with it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Profiler } from 'node:inspector';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** For an answer; a blast over a slow relay takes its time. */
const PATIENCE_MS = 300_000;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function inlined(code: string): string {
  return `data:text/javascript,${encodeURIComponent(code)}`;
}

/** Answers over the channel, and keeps no process alive. */
const PROBE = inlined(`
  import { Session } from 'node:inspector/promises';
  import { setFlagsFromString } from 'node:v8';
  import { runInNewContext } from 'node:vm';
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  const profile = async (isOver) => {
    if (isOver) return process.send(await session.post('Profiler.stop'));
    await session.post('Profiler.start');
    process.send({ profiling: true });
  };
  process.on('message', (question) => {
    if (question === 'profile' || question === 'profiled') profile(question === 'profiled');
    if (question !== 'usage' && question !== 'memory') return;
    if (question === 'memory') collect();
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed } = process.memoryUsage();
    const cpuSeconds = (user + system) / 1e6;
    const peakBytes = process.resourceUsage().maxRSS * 1024;
    process.send({ usage: { cpuSeconds, residentBytes: rss, heapBytes: heapUsed, peakBytes } });
  });
  process.channel.unref();
`);

/** As on a platform for which there is no machine code of the curve. */
const WITHOUT_MACHINE_CODE = inlined(`
  import Module from 'node:module';
  const resolve = Module._resolveFilename;
  Module._resolveFilename = function (name, ...rest) {
    if (name === 'secp256k1/bindings') throw new Error('left out by the bench');
    return resolve.call(this, name, ...rest);
  };
`);

export interface Usage {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
  /** The most that was ever resident. */
  readonly peakBytes: number;
}

export interface PartOptions {
  /** Where it keeps its files. */
  readonly home?: string;
  /** Whether the curve is left to WebAssembly. */
  readonly wasm?: boolean;
  /** Another checkout whose build is run. */
  readonly root?: string | undefined;
}

export class Part {
  /** What its first line of output, a JSON object, says. */
  readonly ready: Readonly<Record<string, string>>;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, ready: Readonly<Record<string, string>>) {
    this.#child = child;
    this.ready = ready;
  }

  /** The program as it is built. */
  static program(argv: readonly string[], options: PartOptions): Promise<Part> {
    return Part.#start([join(options.root ?? ROOT, 'dist/main.js'), ...argv, '--json'], options);
  }

  /** A file of this folder. */
  static script(name: string, argv: readonly string[], options: PartOptions = {}): Promise<Part> {
    const file = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
    return Part.#start(['--import', import.meta.resolve('tsx'), file, ...argv], options);
  }

  static async #start(argv: readonly string[], { home, wasm }: PartOptions): Promise<Part> {
    const preloads = ['--import', PROBE, ...(wasm ? ['--import', WITHOUT_MACHINE_CODE] : [])];
    const child = spawn(process.execPath, [...preloads, ...argv], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { PATH: process.env.PATH, NWS_LOG_LEVEL: 'warn', ...(home && { NWS_HOME: home }) },
      ...(home && { cwd: home }),
    });
    running.add(child);
    child.once('close', () => running.delete(child));
    let complaints = '';
    child.stderr!.on('data', (data) => (complaints += data));
    const line = once(createInterface(child.stdout!), 'line').then(([text]) => String(text));
    const ready = await Promise.race([line, once(child, 'close').then(() => undefined)]);
    if (ready === undefined) throw new Error(`${argv.at(-1)} ended: ${complaints}`);
    return new Part(child, JSON.parse(ready) as Record<string, string>);
  }

  async usage(): Promise<Usage> {
    return (await this.ask<{ usage: Usage }>('usage', 'usage')).usage;
  }

  /** The same when nothing is left that isn't used. */
  async memory(): Promise<Usage> {
    return (await this.ask<{ usage: Usage }>('memory', 'usage')).usage;
  }

  /** What it does meanwhile, as V8 samples it. */
  async profile(work: () => Promise<unknown>): Promise<Profiler.Profile> {
    await this.ask<{ profiling: true }>('profile', 'profiling');
    await work();
    return (await this.ask<{ profile: Profiler.Profile }>('profiled', 'profile')).profile;
  }

  /** Asks over the channel, and waits for an answer that has this field. One question with one field at a time. */
  ask<T extends object>(question: string, field: keyof T & string): Promise<T> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        child.off('message', onMessage).off('close', onClose);
      };
      const onMessage = (answer: object): void => {
        if (!(field in answer)) return;
        settle();
        resolve(answer as T);
      };
      const onClose = (): void => {
        settle();
        reject(new Error(`a process ended before it answered ${question}`));
      };
      const timer = setTimeout(() => {
        settle();
        reject(new Error(`a process doesn't answer ${question}`));
      }, PATIENCE_MS);
      child.on('message', onMessage).on('close', onClose);
      child.send(question);
    });
  }

  async end(): Promise<void> {
    if (!running.has(this.#child)) return;
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await closed;
  }
}
