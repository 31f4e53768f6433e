// Which addresses that the other side names are asked at all: nobody makes us send packets into our own network, or
// anywhere else that isn't the internet, unless settings say that local addresses count.

import {
  type AddressBytes,
  embeddedIn,
  isGloballyReachable,
  parseAddress,
} from '../../../common/net/addresses.js';
import { isWithin } from '../../../common/net/own-addresses.js';
import type { Endpoint } from '../../../protocol/direct/endpoint.js';

export type Judge = (endpoint: Endpoint) => boolean;

/** Services of this machine and its neighbours have the ports below. */
const FIRST_FREE_PORT = 1_024;

/** Public addresses outside our own networks: what CONNECTR's guard lets through where there are no rules. */
export function isPublic({ address }: Endpoint, own: readonly string[]): boolean {
  const bytes = parseAddress(address);
  if (bytes === undefined) return false;
  const isOpen = (way: AddressBytes): boolean => isGloballyReachable(way) && !isWithin(way, own);
  return [bytes, ...embeddedIn(bytes)].every(isOpen);
}

/**
 * Judges what the other side names.
 * @param outside for addresses elsewhere; an exit's is its policy
 * @param isLocal whether addresses in this machine's own networks count, too
 * @param own as `ownAddresses` gives them
 */
export function judgeOf(outside: Judge, isLocal: boolean, own: () => readonly string[]): Judge {
  return (endpoint) => {
    if (outside(endpoint)) return true;
    const bytes = isLocal ? parseAddress(endpoint.address) : undefined;
    return bytes !== undefined && endpoint.port >= FIRST_FREE_PORT && isWithin(bytes, own());
  };
}
