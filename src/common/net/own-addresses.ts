// The addresses of this machine, and what lies in its networks.

import { type AddressBytes, covers, hostNetwork, parseAddress } from './addresses.js';
import { interfaceAddresses } from './interfaces.js';

/**
 * Every address of every interface now, with the network that it is in: neighbours trust each other
 * and are reached behind the firewall, also where their addresses are public. `address/bits` each.
 */
export function ownAddresses(): string[] {
  return interfaceAddresses().map(({ address, cidr }) => cidr ?? address);
}

/**
 * Whether an address is one of `own`, or in a network of theirs.
 * @param own as `ownAddresses` gives them
 */
export function isWithin(address: AddressBytes, own: readonly string[]): boolean {
  return own.some((text) => {
    const [host = '', bits] = text.split('/');
    const bytes = parseAddress(host.split('%', 1)[0]!);
    if (bytes === undefined) return false;
    return covers(bits === undefined ? hostNetwork(bytes) : { bytes, bits: Number(bits) }, address);
  });
}
