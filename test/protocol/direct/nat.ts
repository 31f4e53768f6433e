// Two probers with a network between them, in simulated time: NATs that pass answers alone, with ports that depend on
// the destination or don't.

import { type Endpoint, formatEndpoint } from '../../../src/protocol/direct/endpoint.js';
import { type Outgoing, Prober } from '../../../src/protocol/direct/prober.js';

const DELAY_MS = 25;
const STEP_MS = 5;

export interface HostOptions {
  /** What it is called outside. */
  readonly address: string;
  /** Its port outside depends on where it sends. */
  readonly isSymmetric?: boolean;
  /** Whoever knows the port reaches it. */
  readonly isOpen?: boolean;
  /** Nothing leaves. */
  readonly isDeaf?: boolean;
}

interface Datagram {
  readonly at: number;
  readonly from: Endpoint;
  readonly outgoing: Outgoing;
}

export class Host {
  readonly prober: Prober;
  readonly side: 'entry' | 'exit';
  readonly #options: HostOptions;
  /** Destinations that it has sent to, and its port toward them. */
  readonly #mappings = new Map<string, number>();
  readonly sent: Outgoing[] = [];
  arrived: Datagram[] = [];

  constructor(side: 'entry' | 'exit', options: HostOptions) {
    this.side = side;
    this.#options = options;
    this.prober = new Prober({ side, now: 0 });
  }

  /** What a STUN server says of it. */
  get outside(): Endpoint {
    return { address: this.#options.address, port: 5_000 };
  }

  send(now: number, to: readonly Host[]): void {
    for (let out = this.prober.pull(now); out !== undefined; out = this.prober.pull(now)) {
      this.sent.push(out);
      if (this.#options.isDeaf) continue;
      const from = { address: this.#options.address, port: this.#portTo(out.to) };
      const at = now + DELAY_MS;
      for (const host of to)
        if (host.#takes(out.to, from)) host.arrived.push({ at, from, outgoing: out });
    }
  }

  #portTo(to: Endpoint): number {
    const name = formatEndpoint(to);
    const known = this.#mappings.get(name);
    const port = known ?? (this.#options.isSymmetric ? 6_000 + this.#mappings.size : 5_000);
    this.#mappings.set(name, port);
    return port;
  }

  #takes(to: Endpoint, from: Endpoint): boolean {
    if (to.address !== this.#options.address) return false;
    const open = this.#options.isOpen && to.port === 5_000;
    return open || this.#mappings.get(formatEndpoint(from)) === to.port;
  }

  receive(now: number, mayAsk: (at: Endpoint) => boolean): void {
    const due = this.arrived.filter(({ at }) => at <= now);
    this.arrived = this.arrived.filter(({ at }) => at > now);
    for (const { from, outgoing } of due) {
      const side = this.side === 'entry' ? 'exit' : 'entry';
      const { kind, number } = outgoing;
      this.prober.receive({ kind, number, side, stream: 1 }, from, now, mayAsk);
    }
  }
}

/** Runs both until both know, or `untilMs`. Returns the time that it took. */
export function run(
  hosts: readonly [Host, Host],
  untilMs = 20_000,
  mayAsk: (at: Endpoint) => boolean = () => true,
): number {
  for (let now = 0; now < untilMs; now += STEP_MS) {
    for (const host of hosts) host.receive(now, mayAsk);
    for (const host of hosts)
      host.send(
        now,
        hosts.filter((other) => other !== host),
      );
    if (hosts.every(({ prober }) => prober.result !== undefined || prober.isOver(now))) return now;
  }
  return untilMs;
}
