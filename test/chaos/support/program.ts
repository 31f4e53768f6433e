// One nws process as users start it: its ready line, its log, its memory, its end. None outlives the tests.

import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { jsonLines, spawnMain } from '../../cli/harness.js';

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class Program {
  /** What the program said when it was ready. */
  readonly ready: Readonly<Record<string, string>>;
  readonly #child: ChildProcess;
  readonly #stderr: () => string;

  private constructor(
    child: ChildProcess,
    stderr: () => string,
    ready: Readonly<Record<string, string>>,
  ) {
    this.#child = child;
    this.#stderr = stderr;
    this.ready = ready;
  }

  /** @param folder working directory, and place of NWS_HOME */
  static start(folder: string, ...argv: string[]): Promise<Program> {
    return Program.startWith({}, folder, ...argv);
  }

  /** The same with variables of the environment. */
  static async startWith(
    env: Readonly<Record<string, string>>,
    folder: string,
    ...argv: string[]
  ): Promise<Program> {
    return Program.#of(spawnMain(folder, [...argv, '--json'], env), argv);
  }

  /** The same where the system lets it open so many files and no more. */
  static async startWithFiles(files: number, folder: string, ...argv: string[]): Promise<Program> {
    return Program.#of(spawnMain(folder, [...argv, '--json'], {}, files), argv);
  }

  static async #of(child: ChildProcess, argv: readonly string[]): Promise<Program> {
    running.add(child);
    const closed = once(child, 'close').finally(() => running.delete(child));
    let stderr = '';
    child.stderr!.on('data', (data) => {
      stderr += data;
    });
    const line = once(createInterface(child.stdout!), 'line').then(([text]) => String(text));
    const ready = await Promise.race([line, closed.then(() => undefined)]);
    if (ready === undefined) throw new Error(`nws ${argv.join(' ')} ended: ${stderr}`);
    return new Program(child, () => stderr, JSON.parse(ready) as Record<string, string>);
  }

  /** Records of the log at `warn` and above that name `text` anywhere. */
  warnings(text: string): Record<string, unknown>[] {
    const isWarning = ({ level }: Record<string, unknown>): boolean => Number(level) >= 40;
    return jsonLines(this.#stderr()).filter(
      (record) => isWarning(record) && JSON.stringify(record).includes(text),
    );
  }

  /** Memory that is in use, in bytes. */
  get residentBytes(): number {
    const kib = execFileSync('ps', ['-o', 'rss=', '-p', String(this.#child.pid)]);
    return Number(kib) * 1_024;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends a signal that ends it. Resolves to its exit status, null where the signal itself was its end. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return exitCode;
    const closed = once(this.#child, 'close') as Promise<[number | null]>;
    this.#child.kill(signal);
    return (await closed)[0];
  }
}
