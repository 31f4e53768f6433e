// Where recipes are run: a relay, a proxy, and an exit for each server that they talk to. What stands in a recipe for
// something of the reader's own (a name, a relay, the proxy's port) is put in; everything else is run as it stands.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  createExit,
  createProxy,
  type Handler,
  MemoryRelay,
  type RunningExit,
  type RunningProxy,
} from '../../src/index.js';
import { type Output, outputOf } from '../e2e/support/tools.js';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** What is reached by the name: a handler, or a target's URL. */
export type Service = (Handler | { readonly target: string }) & {
  readonly stop?: () => Promise<void>;
};

export class Ground {
  readonly folder: string;
  readonly #relay: MemoryRelay;
  readonly #proxy: RunningProxy;
  readonly #exits: RunningExit[] = [];

  private constructor(folder: string, relay: MemoryRelay, proxy: RunningProxy) {
    this.folder = folder;
    this.#relay = relay;
    this.#proxy = proxy;
  }

  static async start(): Promise<Ground> {
    const folder = await mkdtemp(join(tmpdir(), 'nws-recipes-'));
    const relay = await MemoryRelay.start({});
    const proxy = await createProxy({ home: join(folder, 'nws'), relays: [relay.url] });
    mkdirSync(join(folder, 'bin'));
    const nws = join(folder, 'bin', 'nws');
    writeFileSync(nws, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
    chmodSync(nws, 0o755);
    return new Ground(folder, relay, proxy);
  }

  /** Puts a service behind a name. */
  async exitFor(service: Service): Promise<string> {
    const isTarget = 'target' in service;
    const home = join(this.folder, `exit-${this.#exits.length}`);
    const relays = [this.#relay.url];
    const exit = await createExit({ home, relays, ...(isTarget && { target: service.target }) });
    this.#exits.push(exit);
    if (!isTarget) await exit.serve(service);
    return exit.domain;
  }

  /** Starts a recipe as a group of processes, with a home and a working folder that are its own. */
  spawn(code: string, cwd: string, domain: string): ChildProcess {
    const home = mkdtempSync(join(this.folder, 'home-'));
    const { port } = new URL(this.#proxy.url);
    const script = code
      .replaceAll('8882', port)
      .replaceAll('<name>.nostr', domain)
      .replaceAll('wss://relay.example', this.#relay.url);
    return spawn('sh', ['-euc', `exec 2>&1\n${script}`], {
      cwd,
      env: { ...this.env, HOME: home },
      detached: true,
    });
  }

  async run(code: string, cwd: string, domain: string): Promise<Output> {
    const child = this.spawn(code, cwd, domain);
    child.once('exit', () => endGroup(child)); // what it has left in the background
    return outputOf(child);
  }

  /** Of a user who has set nothing; what installs tools in a home finds them. */
  get env(): NodeJS.ProcessEnv {
    const { PATH = '', PYENV_ROOT, RUSTUP_HOME } = process.env;
    return {
      PATH: [join(this.folder, 'bin'), PATH].join(delimiter),
      HOME: this.folder,
      NWS_HOME: join(this.folder, 'nws'),
      NWS_LISTEN: '127.0.0.1:0',
      PYENV_ROOT: PYENV_ROOT ?? join(homedir(), '.pyenv'),
      RUSTUP_HOME: RUSTUP_HOME ?? join(homedir(), '.rustup'),
      GOFLAGS: '-modcacherw',
      GOTOOLCHAIN: 'local',
      GIT_CONFIG_NOSYSTEM: '1',
      PIP_DISABLE_PIP_VERSION_CHECK: '1',
      npm_config_update_notifier: 'false',
      npm_config_globalconfig: '/dev/null',
    };
  }

  async close(): Promise<void> {
    await this.#proxy.close(0);
    await Promise.all(this.#exits.map((exit) => exit.close(0)));
    await this.#relay.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Ends a group of processes and waits for its first one. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  endGroup(child);
  await gone;
}

function endGroup(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, 'SIGTERM');
  } catch {
    // nobody is left in it
  }
}
