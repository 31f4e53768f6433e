// Chromium behind a proxy, led by the DevTools protocol: pages in profiles that know nothing yet.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import WebSocket from 'ws';

type Result = Readonly<Record<string, string>>;

export interface Page {
  /** Closes it, and forgets its profile. */
  close(): Promise<void>;
}

export class Browser {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #devTools: WebSocket;
  readonly #answers = new Map<number, (result: Result) => void>();
  #asked = 0;

  private constructor(child: ChildProcess, folder: string, devTools: WebSocket) {
    this.#child = child;
    this.#folder = folder;
    this.#devTools = devTools.on('message', (data) => {
      const { id, result = {} } = JSON.parse(String(data)) as { id?: number; result?: Result };
      if (id !== undefined) this.#answers.get(id)?.(result);
    });
  }

  /** @param path the program */
  static async start(path: string, proxyUrl: string): Promise<Browser> {
    const folder = mkdtempSync(join(tmpdir(), 'nws-browser-'));
    const child = spawn(
      path,
      [
        ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
        ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
        `--user-data-dir=${folder}`,
        `--proxy-server=${proxyUrl}`,
        '--ignore-certificate-errors', // what is measured is time
        '--remote-debugging-port=0',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'], detached: true },
    );
    for await (const line of createInterface({ input: child.stderr! })) {
      const url = /^DevTools listening on (ws:.*)$/.exec(line)?.[1];
      if (url === undefined) continue;
      child.stderr!.resume();
      const devTools = new WebSocket(url);
      await once(devTools, 'open');
      return new Browser(child, folder, devTools);
    }
    throw new Error(`${path} does not start`);
  }

  async open(url: string): Promise<Page> {
    const { browserContextId } = await this.#ask('Target.createBrowserContext', {});
    await this.#ask('Target.createTarget', { url, browserContextId });
    return {
      close: async () => {
        await this.#ask('Target.disposeBrowserContext', { browserContextId });
      },
    };
  }

  async close(): Promise<void> {
    this.#devTools.terminate();
    const gone = once(this.#child, 'exit');
    process.kill(-this.#child.pid!, 'SIGKILL'); // and its children
    await gone;
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #ask(method: string, params: object): Promise<Result> {
    this.#asked += 1;
    const id = this.#asked;
    this.#devTools.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve) => this.#answers.set(id, resolve));
  }
}
