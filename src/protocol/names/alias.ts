// Short names that a user gives to exits: what such a name may look like. Pure.

import { NwsError } from '../../errors.js';
import { decodeHost, isNostrHost } from './address.js';

const TLD = '.nostr';
/** Labels as in the DNS: letters, digits and hyphens, with room for the TLD below 253 characters. */
const ALIAS = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+nostr$/;

/** Lower case, without the dot that ends a fully qualified name. */
export function canonicalName(host: string): string {
  const name = host.trim().toLowerCase();
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

/**
 * An alias as it is kept: `shop` and `Shop.nostr` are both `shop.nostr`.
 * @throws NwsError `bad_name` for what is no name, and for a name that says by itself what it means
 */
export function parseAlias(text: string): string {
  const name = canonicalName(text);
  const full = name.includes('.') ? name : `${name}${TLD}`;
  if (!ALIAS.test(full)) throw bad(`${shown(text)} can't be a short name`);
  if (isKey(full)) throw bad('a name that holds a key means that key, and nothing else');
  return full;
}

/**
 * What an alias stands for: a `.nostr` name, npub or nprofile.
 * @throws NwsError `bad_name`
 */
export function parseAliasTarget(text: string): string {
  const host = canonicalName(text);
  if (!isNostrHost(host)) throw bad(`${shown(text)} is not the name of an exit`);
  decodeHost(host);
  return host;
}

function isKey(name: string): boolean {
  try {
    decodeHost(name);
    return true;
  } catch {
    return false;
  }
}

function shown(text: string): string {
  return JSON.stringify(text.replace(/nsec1\w+/gi, 'nsec…').slice(0, 63));
}

function bad(message: string): NwsError {
  return new NwsError('bad_name', message, { hint: 'write it like shop=<relay>.<key>.nostr' });
}
