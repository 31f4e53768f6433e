// Two hosts and a router between them, as network namespaces of this machine: what one host can reach of the other
// is up to the router. All addresses look public, and nothing leaves the namespaces.
//
//   entry 8.8.4.2 ── 8.8.4.1 router (and relay) 8.8.5.1 ── 8.8.5.2 exit

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Started } from './started.js';

const TSX = import.meta.resolve('tsx');
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export const ENTRY_ADDRESS = '8.8.4.2';
export const EXIT_ADDRESS = '8.8.5.2';
export const RELAY_ADDRESS = '8.8.5.1';
const HOSTS = { entry: '8.8.4', exit: '8.8.5' } as const;

export type Host = 'entry' | 'exit' | 'router';

/** Why this machine can't have network namespaces, if so. */
export function obstacle(): string | undefined {
  if (process.platform !== 'linux') return 'they are Linux only';
  try {
    const lab = new Lab('try');
    lab.close();
    return undefined;
  } catch (error) {
    return (error as Error).message.split('\n').slice(0, 2).join(': ');
  }
}

/** Namespaces outlive their maker. */
const labs = new Set<Lab>();
process.once('exit', () => {
  for (const lab of labs) lab.close();
});

export class Lab {
  readonly #prefix: string;
  readonly #children: ChildProcess[] = [];

  constructor(name: string) {
    this.#prefix = `nws-${process.pid}-${name}`;
    labs.add(this);
    try {
      for (const host of ['router', 'entry', 'exit'] as const) {
        ip('netns', 'add', this.#name(host));
        this.#ip(host, 'link', 'set', 'lo', 'up');
      }
      for (const host of ['entry', 'exit'] as const) this.#connect(host, HOSTS[host]);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #name(host: Host): string {
    return `${this.#prefix}-${host}`;
  }

  #connect(host: 'entry' | 'exit', network: string): void {
    const here = `to-${host}`;
    const there = { name: 'eth0', netns: this.#name(host) };
    const peer = ['peer', 'name', there.name, 'netns', there.netns];
    this.#ip('router', 'link', 'add', here, 'type', 'veth', ...peer);
    this.#ip('router', 'address', 'add', `${network}.1/24`, 'dev', here);
    this.#ip('router', 'link', 'set', here, 'up');
    this.#ip(host, 'address', 'add', `${network}.2/24`, 'dev', there.name);
    this.#ip(host, 'link', 'set', there.name, 'up');
    this.#ip(host, 'route', 'add', 'default', 'via', `${network}.1`);
  }

  #ip(host: Host, ...args: string[]): void {
    ip('-n', this.#name(host), ...args);
  }

  /** Whether the router passes anything on. Otherwise it is dropped without a word. */
  forward(isOn: boolean): void {
    const command = `echo ${isOn ? 1 : 0} > /proc/sys/net/ipv4/ip_forward`;
    ip('netns', 'exec', this.#name('router'), 'sh', '-c', command);
  }

  /**
   * Puts the exit behind something like NAT: of what comes from the entry, only answers of this port pass. Whoever
   * else knocks is dropped.
   */
  hideExit(port: string): void {
    const rule = ['rule', 'add', 'iif', 'to-entry'];
    this.#ip(
      'router',
      ...rule,
      'priority',
      '100',
      'ipproto',
      'tcp',
      'sport',
      port,
      'lookup',
      'main',
    );
    this.#ip('router', ...rule, 'priority', '101', 'to', `${HOSTS.exit}.2`, 'blackhole');
  }

  /** Makes the exit's system say at once that there is no way to the entry. */
  cutOff(): void {
    this.#ip('exit', 'route', 'add', 'unreachable', `${HOSTS.entry}.0/24`);
  }

  /** Starts a TypeScript program on a host. */
  program(host: Host, folder: string, file: string, ...argv: string[]): Started {
    const node = [process.execPath, '--import', TSX, `${ROOT}${file}`, ...argv];
    const child = spawn('ip', ['netns', 'exec', this.#name(host), ...node], {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder, NWS_HOME: `${folder}/home` },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.push(child);
    return new Started(child);
  }

  /** Runs a command on a host to its end, and gives its output. */
  run(host: Host, ...command: string[]): string {
    const argv = ['netns', 'exec', this.#name(host), ...command];
    return execFileSync('ip', argv, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
  }

  close(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    for (const host of ['entry', 'exit', 'router'] as const) {
      try {
        ip('netns', 'delete', this.#name(host));
      } catch {
        // It was never made.
      }
    }
    labs.delete(this);
  }
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
