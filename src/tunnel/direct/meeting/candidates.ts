// The addresses at which the other side may find us: the one that is configured, those that STUN servers see, and
// local ones where settings say so.

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { inTime } from '../../../common/waiting.js';
import {
  type Endpoint,
  endpointOf,
  formatEndpoint,
  isIpv6,
} from '../../../protocol/direct/endpoint.js';
import type { HostPort } from '../../../protocol/direct/servers.js';
import { MAX_PATH_CANDIDATES } from '../../../protocol/wire/path.js';
import type { Judge } from './judge.js';
import { STUN_TIMEOUT_MS, type StunClient } from './stun-client.js';

/** Servers that are asked, and addresses of one name. */
const MAX_SERVERS = 4;
const MAX_ADDRESSES = 2;
const LOOKUP_TIMEOUT_MS = 1_000;
/** What was found is good for so long: a mapping that nothing goes through lasts 30 s and more. */
const FRESH_MS = 10_000;

/** What is known of this side's way out. */
export interface Outside {
  /** `address:port` each. */
  readonly candidates: readonly string[];
  /** Servers that were asked, and that answered. */
  readonly stunAsked: number;
  readonly stunAnswered: number;
  /**
   * Two servers saw two ports: each destination gets another one, and none of them knows the next. Undefined where
   * no two servers, at addresses of their own, can tell.
   */
  readonly isSymmetric: boolean | undefined;
}

export interface CandidatesOptions {
  readonly stun: Pick<StunClient, 'ask'>;
  /** Our own servers; where there are none, the other side's are asked. */
  readonly servers: readonly HostPort[];
  readonly address: HostPort | undefined;
  /** The addresses of this machine, if they count: `address/bits` each. */
  readonly local: (() => readonly string[]) | undefined;
  readonly port: number;
}

export class Candidates {
  readonly #options: CandidatesOptions;
  #latest: { readonly servers: string; readonly at: number; readonly found: Promise<Outside> };

  constructor(options: CandidatesOptions) {
    this.#options = options;
    this.#latest = { servers: '', at: Number.NEGATIVE_INFINITY, found: Promise.resolve(NOWHERE) };
  }

  /** Whether it depends on the other side's servers how we look from outside. */
  get needsServers(): boolean {
    return this.#options.servers.length === 0;
  }

  /**
   * Never throws; takes no longer than a second for names and one for answers.
   * @param theirs servers of the other side
   * @param mayAsk judges those
   */
  find(theirs: readonly HostPort[], mayAsk: Judge): Promise<Outside> {
    const { servers: own } = this.#options;
    const asked = own.length > 0 ? own : theirs;
    const servers = JSON.stringify(asked);
    const now = performance.now();
    if (this.#latest.servers === servers && now - this.#latest.at < FRESH_MS) {
      return this.#latest.found;
    }
    const found = this.#find(asked, own.length > 0 ? () => true : mayAsk);
    this.#latest = { servers, at: now, found };
    return found;
  }

  /** The network may have changed. */
  forget(): void {
    this.#latest = { ...this.#latest, at: Number.NEGATIVE_INFINITY };
  }

  async #find(servers: readonly HostPort[], mayAsk: Judge): Promise<Outside> {
    const { address, stun } = this.#options;
    const [given, ...lists] = await Promise.all([
      address === undefined ? [] : resolved(address),
      ...servers.slice(0, MAX_SERVERS).map(resolved),
    ]);
    const endpoints = lists.flat().filter(mayAsk);
    const answers = await Promise.all(endpoints.map((server) => stun.ask(server)));
    const mapped = answers.filter((answer) => answer !== undefined);
    const all = [...given, ...this.#local(), ...mapped].map(formatEndpoint);
    return {
      candidates: [...new Set(all)].slice(0, MAX_PATH_CANDIDATES),
      stunAsked: endpoints.length,
      stunAnswered: mapped.length,
      isSymmetric: isSymmetric(endpoints, answers),
    };
  }

  #local(): Endpoint[] {
    const { local, port } = this.#options;
    const all = (local?.() ?? []).map((text) => text.split('/', 1)[0]!);
    // Link-local addresses mean nothing without the name of an interface.
    const usable = all.filter((text) => !text.includes('%') && !/^(fe80:|169\.254\.)/i.test(text));
    const elsewhere = usable.filter((text) => text !== '::1' && !text.startsWith('127.'));
    const chosen = elsewhere.length > 0 ? elsewhere : usable;
    return chosen.flatMap((text) => endpointOf(text, port) ?? []);
  }
}

/** Nothing is known. */
export const NOWHERE: Outside = {
  candidates: [],
  stunAsked: 0,
  stunAnswered: 0,
  isSymmetric: undefined,
};

/** One socket has one port outside, unless the NAT makes another for each destination. */
function isSymmetric(
  servers: readonly Endpoint[],
  answers: readonly (Endpoint | undefined)[],
): boolean | undefined {
  const ports = new Set<number>();
  const addresses = new Set<string>();
  for (const [index, answer] of answers.entries()) {
    if (answer === undefined || isIpv6(answer)) continue;
    ports.add(answer.port);
    addresses.add(servers[index]!.address);
  }
  if (ports.size > 1) return true;
  return addresses.size > 1 ? false : undefined;
}

/** Never throws: a name that leads nowhere is as good as none. */
async function resolved({ host, port }: HostPort): Promise<Endpoint[]> {
  if (isIP(host) !== 0) return [endpointOf(host, port) ?? []].flat();
  try {
    const found = await inTime(lookup(host, { all: true, verbatim: true }), LOOKUP_TIMEOUT_MS);
    const endpoints = (found ?? []).flatMap(({ address }) => endpointOf(address, port) ?? []);
    const families = [endpoints.filter(isIpv6), endpoints.filter((at) => !isIpv6(at))];
    return families.flatMap((family) => family.slice(0, MAX_ADDRESSES / 2));
  } catch {
    return [];
  }
}

/** How long `find` may take, in ms. */
export const FIND_TIMEOUT_MS = LOOKUP_TIMEOUT_MS + STUN_TIMEOUT_MS;
