// A program that runs on a host of its own: what it says, and what it writes into its log.

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A program that runs on a host. */
export class Started {
  #stderr = '';
  readonly child: ChildProcess;
  readonly #firstLine: Promise<string>;

  constructor(child: ChildProcess) {
    this.child = child;
    child.stderr!.on('data', (data) => {
      this.#stderr += data;
    });
    const line = once(createInterface(child.stdout!), 'line').then(([text]) => String(text));
    const ended = once(child, 'close').then(() => {
      throw new Error(`it ended: ${this.#stderr}`);
    });
    this.#firstLine = Promise.race([line, ended]);
    // It ends with the lab in any case.
    ended.catch(() => undefined);
  }

  /** What it said when it was ready. */
  async ready(): Promise<Readonly<Record<string, string>>> {
    return JSON.parse(await this.#firstLine) as Record<string, string>;
  }

  /** Records of its log with this message. */
  logged(message: string): Record<string, unknown>[] {
    const lines = this.#stderr.split('\n').filter((line) => line.startsWith('{'));
    const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    return records.filter(({ msg }) => msg === message);
  }
}
