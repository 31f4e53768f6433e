// An address and a port of UDP, as text and in its one canonical form. Pure.

import { formatAddress, parseAddress } from '../../common/net/addresses.js';

export interface Endpoint {
  /** An IP address as `formatAddress` writes it; IPv4 inside IPv6 is IPv4. */
  readonly address: string;
  /** 1 to 65,535. */
  readonly port: number;
}

const TEXT = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)):(\d{1,5})$/;

/** Reads `192.0.2.1:443` or `[2001:db8::1]:443`; undefined for anything else, names included. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const [, ipv6, ipv4, digits] = TEXT.exec(text) ?? [];
  return endpointOf(ipv6 ?? ipv4 ?? '', Number(digits));
}

/** The canonical endpoint; undefined where it is none. */
export function endpointOf(address: string, port: number): Endpoint | undefined {
  const bytes = parseAddress(address);
  const isPort = Number.isInteger(port) && port >= 1 && port <= 65_535;
  return bytes !== undefined && isPort ? { address: formatAddress(bytes), port } : undefined;
}

export function formatEndpoint({ address, port }: Endpoint): string {
  return isIpv6({ address }) ? `[${address}]:${port}` : `${address}:${port}`;
}

export function isIpv6({ address }: Pick<Endpoint, 'address'>): boolean {
  return address.includes(':');
}

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && a.address === b.address;
}
