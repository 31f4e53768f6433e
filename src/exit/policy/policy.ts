// Where the streams of this exit may go: to its own target, and as far as --public, --allow and --deny say.
// Pure: judges names and addresses; resolving and dialling is dial.ts.

import {
  type AddressBytes,
  embeddedIn,
  isGloballyReachable,
  parseAddress,
} from '../../common/net/addresses.js';
import { isWithin } from '../../common/net/own-addresses.js';
import { NwsError } from '../../errors.js';
import { decodeHost } from '../../protocol/names/address.js';
import {
  type Destination,
  isLocalName,
  isNeverResolved,
  parseDestination,
  parseName,
} from './destination.js';
import { includesPort, matchesAddress, matchesHost, type Rule } from './rules.js';

export interface PolicyOptions {
  /** Hex. */
  readonly ownPubkey: string;
  /** Whether the web ports of public addresses are open. */
  readonly isPublic: boolean;
  readonly allow: readonly Rule[];
  readonly deny: readonly Rule[];
  /** Addresses of this machine now, each alone or with the network that it is in (`10.0.0.2/24`). */
  readonly ownAddresses: () => readonly string[];
}

export type Judgement =
  | { readonly kind: 'own-target' }
  | { readonly kind: 'dial'; readonly host: string; readonly port: number };

/** What `--public` opens. */
const WEB_PORTS = [80, 443];

/**
 * The rules of an exit. Its own target is always open. Beyond that, deny wins over allow, and what
 * nothing opens is closed. The last word is on the address that is about to be dialled:
 *
 * - `--public`, or an allow rule with a name, a suffix or `*`, opens a host where its address is public;
 * - an allow rule with an address or a CIDR opens that address, whatever it is and whichever name led to it.
 *
 * So a name alone never leads to loopback, a private network, cloud metadata or this machine: whoever
 * runs the name's DNS could point it there. For a host inside, allow name and address.
 */
export class Policy {
  #options: PolicyOptions;

  constructor(options: PolicyOptions) {
    this.#options = options;
  }

  /** Judges by other rules from now on. */
  update(allow: readonly Rule[], deny: readonly Rule[]): void {
    this.#options = { ...this.#options, allow, deny };
  }

  /**
   * Judges what a CONNECT asks for, before anything is resolved. The own target goes by any name of
   * the exit's key, on any port, and by no name at all, which is what a NIP-443 client may send.
   * An address is judged here already; `judgeAddress` has to follow for what a name resolves to.
   * @param destination `host:port`, or a name of this exit with or without a port, or empty.
   * @throws NwsError `destination_ip_prohibited`.
   */
  judgeDestination(destination: string): Judgement {
    const { ownPubkey, isPublic, allow } = this.#options;
    if (destination === '' || isOwnName(withoutPort(destination), ownPubkey)) {
      return { kind: 'own-target' };
    }
    if (!isPublic && allow.length === 0) throw ownTargetOnly();
    const { host, port, isAddress } = this.#parse(destination);
    if (isAddress) this.judgeAddress(host, host, port);
    else this.#judgeName(host, port);
    return { kind: 'dial', host, port };
  }

  /**
   * Judges one address that a host resolved to, right before it is dialled.
   * @param host what was asked for: a name or an address.
   * @throws NwsError `destination_ip_prohibited`, with what its operator may know in `cause`.
   */
  judgeAddress(host: string, address: string, port: number): void {
    const name = parseName(host) ?? host;
    if (this.#denies(name, port)) throw this.#refusal(`${host}:${port} is denied by a rule`);
    const isHostOpen = this.#opens(name, port);
    this.#judge(address, port, isHostOpen, host);
  }

  /**
   * Judges the text of an `entryPublicAddress` (CONNECTR) before it is resolved; `judgeReverse` follows.
   * @throws NwsError `destination_ip_prohibited`.
   */
  judgeReverseDestination(destination: string): Destination {
    const parsed = this.#parse(destination);
    const { host, port, isAddress } = parsed;
    if (isAddress) this.judgeReverse(host, port);
    else if (this.#denies(host, port)) throw this.#refusal(`${destination} is denied by a rule`);
    else if (this.#isClosedName(host, port)) throw this.#refusal(`${host} is no public name`);
    return parsed;
  }

  /**
   * Judges an address that an entry wants to be dialled back at (CONNECTR): any port of a public
   * address, or what an allow rule names by address.
   * @throws NwsError `destination_ip_prohibited`, with what its operator may know in `cause`.
   */
  judgeReverse(address: string, port: number): void {
    if (this.#denies(address, port)) throw this.#refusal('port is denied for every host by a rule');
    this.#judge(address, port, true, 'an entry');
  }

  #parse(destination: string): Destination {
    const parsed = parseDestination(destination);
    if (parsed !== undefined) return parsed;
    throw new NwsError('destination_ip_prohibited', 'the destination is not a host and a port', {
      hint: 'ask for host:port; an IPv4 address as four decimal numbers, IPv6 in brackets',
    });
  }

  #judgeName(host: string, port: number): void {
    if (this.#denies(host, port)) throw this.#refusal(`${host}:${port} is denied by a rule`);
    if (this.#isClosedName(host, port)) {
      throw this.#refusal(`${host} means another thing in each network: allow it by name`);
    }
    // A name is worth resolving for an address rule, too: it may turn out to lead there.
    const { allow } = this.#options;
    const mayLeadThere = ({ subject, ports }: Rule): boolean =>
      subject.kind === 'network' && includesPort(ports, port);
    if (this.#opens(host, port) || allow.some(mayLeadThere)) return;
    throw this.#refusal(`no rule opens ${host}:${port}`);
  }

  /** Whether a name isn't to be resolved: some never are, those of the local network when it is named. */
  #isClosedName(host: string, port: number): boolean {
    const isNamed = this.#options.allow.some(
      (rule) => rule.subject.kind !== 'any' && matchesHost(rule, host, port),
    );
    return isNeverResolved(host) || (isLocalName(host) && !isNamed);
  }

  #opens(host: string, port: number): boolean {
    const { isPublic, allow } = this.#options;
    if (isPublic && WEB_PORTS.includes(port)) return true;
    return allow.some((rule) => matchesHost(rule, host, port));
  }

  #denies(host: string, port: number): boolean {
    return this.#options.deny.some((rule) => matchesHost(rule, host, port));
  }

  /** Every address that packets may end up at has to be open, and none denied. */
  #judge(text: string, port: number, isHostOpen: boolean, host: string): void {
    const { allow, deny } = this.#options;
    const address = parseAddress(text);
    if (address === undefined) throw this.#refusal(`${host} leads to ${text}, which is no address`);
    const ways = [address, ...embeddedIn(address)];
    const isOn = (rules: readonly Rule[], way: AddressBytes): boolean =>
      rules.some((rule) => matchesAddress(rule, way, port));
    if (ways.some((way) => isOn(deny, way))) {
      throw this.#refusal(`${host} leads to ${text}, port ${port}, which a rule denies`);
    }
    const isOpen = (way: AddressBytes): boolean =>
      isOn(allow, way) || (isHostOpen && isGloballyReachable(way) && !this.#isOwn(way));
    if (ways.every(isOpen)) return;
    const rule = `${text.includes(':') ? `[${text}]` : text}:${port}`;
    throw this.#refusal(`${host} leads to ${text}: name the address, too (--allow ${rule})`);
  }

  /** Whether an address is this machine's, or in a network that it is part of. */
  #isOwn(address: AddressBytes): boolean {
    return isWithin(address, this.#options.ownAddresses());
  }

  /** One text for every reason, so that nobody learns of names, addresses and rules behind the exit. */
  #refusal(reason: string): NwsError {
    const scope = this.#options.isPublic ? 'the web on public addresses' : 'chosen destinations';
    const message = `this exit does not serve that destination: it is open for ${scope} only`;
    const hint =
      'the operator of the exit can open more with --allow; what is not public, by its address';
    return new NwsError('destination_ip_prohibited', message, { hint, cause: new Error(reason) });
  }
}

function ownTargetOnly(): NwsError {
  return new NwsError('destination_ip_prohibited', 'this exit serves its own target only', {
    hint: 'ask for it by the name that the exit printed when it started',
  });
}

function withoutPort(destination: string): string {
  return destination.replace(/:\d{1,5}$/, '');
}

function isOwnName(host: string, ownPubkey: string): boolean {
  try {
    return decodeHost(host).pubkey === ownPubkey;
  } catch {
    return false; // not a .nostr name: somebody else's host
  }
}
