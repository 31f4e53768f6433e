// Hosts and routers of any number as network namespaces of this machine, joined as a test wants them: NATs as homes
// have them, and worse ones. All addresses outside look public, and nothing leaves the namespaces.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Started } from './started.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TSX = import.meta.resolve('tsx');

/** Why this machine can't have routers with NAT, if so. */
function natObstacle(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are Linux only';
  const network = new Network('try');
  try {
    network.add('host');
    network.filter('host', homeRouter('lo'));
    return undefined;
  } catch (error) {
    return (error as Error).message.split('\n').slice(0, 2).join(': ');
  } finally {
    network.close();
  }
}

/** To be called by a `before`: leaves out what needs NAT where there is none, and says so. */
export function skipWithoutNat(context: { skip(): void }): void {
  const reason = natObstacle();
  if (reason === undefined) return;
  console.log(`    skipped: no network namespaces with NAT here (${reason})`);
  context.skip();
}

export interface RouterOptions {
  /** What its NAT does; default: ports stay what they are. */
  readonly masquerade?: string;
  /** A port of UDP that is passed on to a host inside. */
  readonly opens?: { readonly port: number; readonly to: string };
}

/** Rules of a home's router: what comes in unasked is dropped. */
export function homeRouter(outside: string, options: RouterOptions = {}): string {
  const { masquerade = 'masquerade', opens } = options;
  const dnat = opens ? `iifname "${outside}" udp dport ${opens.port} dnat to ${opens.to};` : '';
  const accept = opens ? `iifname "${outside}" udp dport ${opens.port} accept;` : '';
  return `table ip nat {
    chain before { type nat hook prerouting priority -100; ${dnat}
    }
    chain after { type nat hook postrouting priority 100; oifname "${outside}" ${masquerade}; }
  }
  table inet guard {
    chain input { type filter hook input priority 0; iifname "${outside}" ct state new drop; }
    chain forward { type filter hook forward priority 0; ${accept} iifname "${outside}" ct state new drop; }
  }`;
}

/** Namespaces outlive their maker. */
const networks = new Set<Network>();
process.once('exit', () => {
  for (const network of networks) network.close();
});

export class Network {
  readonly #prefix: string;
  readonly #hosts = new Set<string>();
  readonly #children: ChildProcess[] = [];

  constructor(name: string) {
    this.#prefix = `nws-${process.pid}-${name}`;
    networks.add(this);
  }

  add(...hosts: readonly string[]): void {
    for (const host of hosts) {
      ip('netns', 'add', this.#name(host));
      this.#hosts.add(host);
      this.ip(host, 'link', 'set', 'lo', 'up');
    }
  }

  #name(host: string): string {
    return `${this.#prefix}-${host}`;
  }

  ip(host: string, ...args: readonly string[]): void {
    ip('-n', this.#name(host), ...args);
  }

  /**
   * A cable between two hosts; each end is called after the other host. `below` has its way to everywhere else
   * through `above`.
   * @param aboveAt and `belowAt`: address/bits, several with commas between
   */
  link(above: string, aboveAt: string, below: string, belowAt: string): void {
    const peer = ['peer', 'name', above, 'netns', this.#name(below)];
    this.ip(above, 'link', 'add', below, 'type', 'veth', ...peer);
    const ends = [
      [above, below, aboveAt],
      [below, above, belowAt],
    ] as const;
    for (const [host, end, addresses] of ends) {
      for (const address of addresses.split(',')) {
        // An IPv6 address would be of no use while its uniqueness is looked into.
        const now = address.includes(':') ? ['nodad'] : [];
        this.ip(host, 'address', 'add', address, 'dev', end, ...now);
      }
      this.ip(host, 'link', 'set', end, 'up');
    }
    for (const address of aboveAt.split(',')) {
      const family = address.includes(':') ? ['-6'] : [];
      const via = address.split('/', 1)[0]!;
      this.ip(below, ...family, 'route', 'add', 'default', 'via', via);
    }
  }

  /** A cable from a host to the bridge of a router. */
  plug(router: string, bridge: string, host: string, address: string, via: string): void {
    const peer = ['peer', 'name', router, 'netns', this.#name(host)];
    this.ip(router, 'link', 'add', host, 'type', 'veth', ...peer);
    this.ip(router, 'link', 'set', host, 'master', bridge, 'up');
    this.ip(host, 'address', 'add', address, 'dev', router);
    this.ip(host, 'link', 'set', router, 'up');
    this.ip(host, 'route', 'add', 'default', 'via', via);
  }

  /** As when a host joins another network: its address on a cable is another one. */
  readdress(host: string, cable: string, address: string, via: string): void {
    this.ip(host, 'address', 'flush', 'dev', cable);
    this.ip(host, 'address', 'add', address, 'dev', cable);
    this.ip(host, 'route', 'add', 'default', 'via', via);
  }

  /** Makes a host pass on what isn't for itself. */
  forward(host: string): void {
    const files = ['ipv4/ip_forward', 'ipv6/conf/all/forwarding'];
    for (const file of files) this.run(host, 'sh', '-c', `echo 1 > /proc/sys/net/${file}`);
  }

  /** Adds rules of nftables. */
  filter(host: string, rules: string): void {
    const argv = ['netns', 'exec', this.#name(host), 'nft', '-f', '-'];
    execFileSync('ip', argv, { input: rules, stdio: ['pipe', 'ignore', 'pipe'] });
  }

  /** Starts a TypeScript program of this repository on a host. */
  program(host: string, folder: string, file: string, ...argv: readonly string[]): Started {
    const node = [process.execPath, '--import', TSX, `${ROOT}${file}`, ...argv];
    return new Started(this.#spawn(host, folder, node));
  }

  /** Starts the built program on a host. */
  nws(host: string, folder: string, ...argv: readonly string[]): Started {
    return new Started(
      this.#spawn(host, folder, [process.execPath, `${ROOT}dist/main.js`, ...argv]),
    );
  }

  #spawn(host: string, folder: string, command: readonly string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.#name(host), ...command], {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        NWS_HOME: `${folder}/${host}`,
        // Streams are counted.
        NWS_PRECONNECT: 'false',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.push(child);
    return child;
  }

  /** Runs a command on a host to its end, and gives its output. */
  run(host: string, ...command: readonly string[]): string {
    const argv = ['netns', 'exec', this.#name(host), ...command];
    return execFileSync('ip', argv, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
  }

  /** The same beside whatever else goes on. Resolves with the exit status and the output. */
  async start(
    host: string,
    ...command: readonly string[]
  ): Promise<{ readonly status: number | null; readonly output: string }> {
    const child = spawn('ip', ['netns', 'exec', this.#name(host), ...command]);
    this.#children.push(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('latin1').on('data', (text: string) => {
        output += text;
      });
    }
    const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { status, output };
  }

  close(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    for (const host of this.#hosts) {
      try {
        ip('netns', 'delete', this.#name(host));
      } catch {
        // It was never made.
      }
    }
    this.#hosts.clear();
    networks.delete(this);
  }
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
