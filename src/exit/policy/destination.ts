// What the text of a destination says: a name or an address, and a port. Strict, since each spelling
// that a resolver understands and a rule doesn't is a way around the rule. Pure.

import { isIPv4 } from 'node:net';
import { formatAddress, parseAddress } from '../../common/net/addresses.js';

export interface Destination {
  /** A name in lower case without a trailing dot, or an address as `formatAddress` writes it. */
  readonly host: string;
  readonly isAddress: boolean;
  /** 1 to 65,535. */
  readonly port: number;
}

/** Longest name and label of the DNS (RFC 1035, section 2.3.4). */
const MAX_NAME_CHARS = 253;
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;
/** What resolvers read as a number: then the name is an IPv4 address in a spelling of its own. */
const NUMBER = /^(?:\d+|0x[0-9a-f]*)$/;

/** Not in the DNS, whatever a resolver may say (RFC 6761, RFC 7686, RFC 9476), and ours. */
const NEVER_RESOLVED = ['nostr', 'onion', 'alt', 'invalid'];
/** Each network has its own (RFC 6761, RFC 6762, RFC 8375, ICANN's reservation of internal, and custom). */
const OF_THE_LOCAL_NETWORK = [
  ...['localhost', 'localdomain', 'local', 'internal', 'home.arpa', 'test'],
  ...['intranet', 'private', 'corp', 'home', 'lan'],
];

/** Reads `host:port`, with an IPv6 address in brackets; undefined for anything else. */
export function parseDestination(text: string): Destination | undefined {
  const [, inBrackets, bare = '', digits] =
    /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = parsePort(digits ?? '');
  if (port === undefined) return undefined;
  if (inBrackets === undefined) {
    const host = isIPv4(bare) ? bare : parseName(bare);
    return host === undefined ? undefined : { host, isAddress: isIPv4(bare), port };
  }
  const address = inBrackets.includes(':') ? parseAddress(inBrackets) : undefined;
  return address && { host: formatAddress(address), isAddress: true, port };
}

/** Canonical name; undefined for what the DNS doesn't allow, and for IPv4 in any spelling. */
export function parseName(text: string): string | undefined {
  const name = text.toLowerCase().replace(/\.$/, '');
  const labels = name.split('.');
  if (name.length > MAX_NAME_CHARS || !labels.every((label) => LABEL.test(label))) return undefined;
  return NUMBER.test(labels.at(-1)!) ? undefined : name;
}

/** Decimal, 1 to 65,535. */
export function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

/** Whether a name must not be shown to a name server at all. */
export function isNeverResolved(name: string): boolean {
  return NEVER_RESOLVED.some((suffix) => isUnder(name, suffix));
}

/** Whether a name means something else in each network: a single label, or under a name for local use. */
export function isLocalName(name: string): boolean {
  return !name.includes('.') || OF_THE_LOCAL_NETWORK.some((suffix) => isUnder(name, suffix));
}

function isUnder(name: string, suffix: string): boolean {
  return name === suffix || name.endsWith(`.${suffix}`);
}
