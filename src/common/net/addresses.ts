// IP addresses as bytes: parsing, networks, which are globally reachable, and what hides inside them.
// Pure. Which of them a stream may reach is policy.ts's matter.

import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** 4 bytes or 16, in network order; an IPv4-mapped address is its IPv4 address. */
export type AddressBytes = readonly number[];

export interface Network {
  readonly bytes: AddressBytes;
  /** Length of the prefix: 0 to 32, or 0 to 128. */
  readonly bits: number;
}

/**
 * Not globally reachable (IANA IPv4 Special-Purpose Address Registry), and what is reached at its
 * nearest instance, which may stand in the operator's own network: anycast services.
 */
const SPECIAL_IPV4 = networks(
  '0.0.0.0/8', // this network; Linux takes 0.0.0.0 for itself
  '10.0.0.0/8', // private (RFC 1918)
  '100.64.0.0/10', // shared by carrier-grade NAT (RFC 6598)
  '127.0.0.0/8', // loopback
  '168.63.129.16/32', // not in the registry: the host of a virtual machine at Azure
  '169.254.0.0/16', // link-local (RFC 3927), where clouds keep their metadata
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments (RFC 6890), among them anycast and metadata
  '192.0.2.0/24', // documentation (RFC 5737)
  '192.31.196.0/24', // AS112 anycast (RFC 7535)
  '192.52.193.0/24', // AMT anycast (RFC 7450)
  '192.88.99.0/24', // 6to4 relay anycast (RFC 7526)
  '192.168.0.0/16', // private
  '192.175.48.0/24', // AS112 anycast (RFC 7534)
  '198.18.0.0/15', // benchmarking (RFC 2544)
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
);

/** What IANA has given out for unicast; loopback, link-local, unique local and the rest are outside. */
const GLOBAL_UNICAST_IPV6 = network('2000::/3');

/** Within that, as above (IANA IPv6 Special-Purpose Address Registry). */
const SPECIAL_IPV6 = networks(
  '2001::/23', // protocol assignments (RFC 2928): Teredo, benchmarking, ORCHID, anycast
  '2001:db8::/32', // documentation (RFC 3849)
  '2002::/16', // 6to4 (RFC 7526: not to be used any more)
  '2620:4f:8000::/48', // AS112 anycast
  '3fff::/20', // documentation (RFC 9637)
);

const MAPPED = network('::ffff:0:0/96');
const NAT64 = network('64:ff9b::/96');
const COMPATIBLE = network('::/96');
const TEREDO = network('2001::/32');
const SIX_TO_FOUR = network('2002::/16');
/** IPv4 addresses in the last four bytes: NAT64 (RFC 6052, RFC 8215) and SIIT (RFC 2765). */
const ENDING_IN_IPV4 = [NAT64, ...networks('64:ff9b:1::/48', '::ffff:0:0:0/96')];
/** Interface identifiers of ISATAP (RFC 5214), before an IPv4 address. */
const ISATAP = /^0[02]005efe/;

/** Reads an address in its usual spelling: four decimal numbers, or IPv6 without brackets and zone. */
export function parseAddress(text: string): AddressBytes | undefined {
  if (isIP(text) === 0 || text.includes('%')) return undefined;
  // In hexadecimal throughout: of `::1.2.3.4` the library makes the mapped `::ffff:1.2.3.4`.
  const [last = ''] = text.includes(':') ? (/[\d.]+$/.exec(text) ?? []) : [];
  const hex = last.includes('.') ? text.slice(0, -last.length) + groupsOf(last) : text;
  const bytes = ipaddr.parse(hex).toByteArray();
  return covers(MAPPED, bytes) ? bytes.slice(12) : bytes;
}

/** `address/bits`; undefined for what is none, or has bits set beyond the prefix. */
export function parseNetwork(text: string): Network | undefined {
  const [, address, length] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const bytes = parseAddress(address ?? '');
  if (bytes === undefined) return undefined;
  // A mapped network is one of IPv4: its address has lost 96 bits.
  const bits = Number(length) - (address!.includes(':') && bytes.length === 4 ? 96 : 0);
  if (bits < 0 || bits > bytes.length * 8) return undefined;
  const isBase = bytes.every((byte, index) => (byte & ~maskOf(bits, index)) === 0);
  return isBase ? { bytes, bits } : undefined;
}

/** The network that consists of one address. */
export function hostNetwork(bytes: AddressBytes): Network {
  return { bytes, bits: bytes.length * 8 };
}

/** Whether an address lies in a network; never across families. */
export function covers({ bytes, bits }: Network, address: AddressBytes): boolean {
  if (bytes.length !== address.length) return false;
  return bytes.every((byte, index) => ((byte ^ address[index]!) & maskOf(bits, index)) === 0);
}

/** Dotted decimals, or IPv6 as in RFC 5952. */
export function formatAddress(bytes: AddressBytes): string {
  return ipaddr.fromByteArray([...bytes]).toString();
}

/**
 * Whether packets to an address leave for the internet. Says nothing about an IPv4 address inside:
 * see `embeddedIn`.
 */
export function isGloballyReachable(address: AddressBytes): boolean {
  const within = (special: Network): boolean => covers(special, address);
  if (address.length === 4) return !SPECIAL_IPV4.some(within);
  // NAT64 lies outside, and a network without IPv4 reaches half of the web through it.
  return (within(GLOBAL_UNICAST_IPV6) && !SPECIAL_IPV6.some(within)) || within(NAT64);
}

/**
 * The IPv4 addresses to which a translator or a tunnel takes the packets of an IPv6 address: a network
 * can have its own NAT64 prefix, and that can't be told by the address.
 */
export function embeddedIn(address: AddressBytes): AddressBytes[] {
  const within = (network: Network): boolean => covers(network, address);
  const last = address.slice(12);
  if (within(SIX_TO_FOUR)) return [address.slice(2, 6)];
  if (within(TEREDO)) return [address.slice(4, 8), last.map((byte) => byte ^ 0xff)];
  // ::1 and what else has a zero there is no IPv4 address (RFC 4291, section 2.5.5.1).
  if (within(COMPATIBLE) && last[0] !== 0) return [last];
  const endsInIpv4 = ENDING_IN_IPV4.some(within);
  return endsInIpv4 || ISATAP.test(Buffer.from(address.slice(8)).toString('hex')) ? [last] : [];
}

/** An IPv4 address as two groups of IPv6. */
function groupsOf(ipv4: string): string {
  const hex = Buffer.from(ipv4.split('.').map(Number)).toString('hex');
  return `${hex.slice(0, 4)}:${hex.slice(4)}`;
}

/** The bits of a byte that belong to a prefix. */
function maskOf(bits: number, index: number): number {
  const count = Math.min(8, Math.max(0, bits - index * 8));
  return (0xff << (8 - count)) & 0xff;
}

function network(text: string): Network {
  const [address, bits] = ipaddr.parseCIDR(text);
  return { bytes: address.toByteArray(), bits };
}

function networks(...texts: readonly string[]): Network[] {
  return texts.map(network);
}
