// Names of exits: `<relay>….<pubkey>.nostr` of NIP-443, npub and nprofile, to and from a key with its relays.
// Pure. Aliases and the search for relays of a name that holds none belong to the proxy.

import { isUtf8 } from 'node:buffer';
import { type DecodedResult, decode, nprofileEncode, npubEncode } from 'nostr-tools/nip19';
import { NwsError } from '../../errors.js';
import { decodeBase32, encodeBase32 } from './base32.js';
import { isPublicKey, parsePublicKey } from './public-key.js';
import { normalizeRelayUrl } from './relay-url.js';

export { normalizeRelayUrl } from './relay-url.js';

/** An exit's key and where it may be reached. */
export interface Address {
  /** 32-byte x-only key, lower-case hex. */
  readonly pubkey: string;
  /** Canonical relay URLs, each once; may be empty. */
  readonly relays: readonly string[];
}

/** Relays of one name. */
export const MAX_RELAYS = 8;
/** Longest host that is read: with `:65535` it still fits the `destination` of a message. */
const MAX_HOST_CHARS = 1018;
/** Longest label and longest name of the DNS (RFC 1035, section 2.3.4). */
const MAX_LABEL_CHARS = 63;
const MAX_NAME_CHARS = 253;
/** Base32 of a key. The text of a bech32 key is longer, so the two can't be mixed up. */
const KEY_LABEL_CHARS = 52;
const TLD = '.nostr';
const HINT = 'a name looks like <relay>.<key>.nostr or npub1….nostr; `nws name` makes one';

/** Whether the name is ours to resolve: it ends in `.nostr`, or is a bare npub or nprofile. */
export function isNostrHost(host: string): boolean {
  const name = canonicalHost(host);
  // A bare nsec is a mistake; as ours it is refused, while as another's it would be shown to a DNS server.
  return name.endsWith(TLD) || /^(npub|nprofile|nsec)1[a-z0-9]+$/.test(name);
}

/**
 * Reads a name in any case, with or without the trailing dot of the DNS; no port.
 * Names longer than the DNS allows are read as well.
 * @throws NwsError `bad_name` that names the label.
 */
export function decodeHost(host: string): Address {
  if (host.length > MAX_HOST_CHARS) throw bad(`name is longer than ${MAX_HOST_CHARS} characters`);
  const name = canonicalHost(host);
  if (!isNostrHost(name)) throw bad(`${quote(name)} is not a .nostr name`);
  const labels = (name.endsWith(TLD) ? name.slice(0, -TLD.length) : name).split('.');
  const key = decodeKeyLabel(labels.pop() ?? '');
  const relays = new Set([...labels.map(decodeRelayLabel), ...key.relays]);
  if (relays.size > MAX_RELAYS) throw bad(`name holds more than ${MAX_RELAYS} relays`);
  return { pubkey: key.pubkey, relays: [...relays] };
}

/**
 * Writes `<relay>….<pubkey>.nostr`.
 * @throws NwsError `bad_name` where a part does not fit: 39 bytes a relay URL, 253 characters in all.
 */
export function encodeName(address: Address): string {
  const { pubkey, relays } = checked(address);
  const labels = relays.map((relay) => {
    const label = encodeBase32(Buffer.from(relay));
    if (label.length <= MAX_LABEL_CHARS) return label;
    throw new NwsError('bad_name', `relay ${relay} does not fit a DNS label of 63 characters`, {
      hint: 'use a relay URL of at most 39 bytes, or the nprofile',
    });
  });
  const name = [...labels, encodeBase32(Buffer.from(pubkey, 'hex'))].join('.') + TLD;
  if (name.length <= MAX_NAME_CHARS) return name;
  throw new NwsError(
    'bad_name',
    `name would be ${name.length} characters long, the DNS holds 253`,
    {
      hint: 'use fewer relays, or the nprofile',
    },
  );
}

/** @throws NwsError `bad_name` for an invalid key or relay. */
export function encodeNprofile(address: Address): string {
  const { pubkey, relays } = checked(address);
  return nprofileEncode({ pubkey, relays: [...relays] });
}

/** @throws NwsError `bad_name` for an invalid key. */
export function encodeNpub(pubkey: string): string {
  return npubEncode(parsePublicKey(pubkey));
}

function checked(address: Address): Address {
  const relays = [...new Set(address.relays.map(normalizeRelayUrl))];
  if (relays.length > MAX_RELAYS) throw bad(`a name holds at most ${MAX_RELAYS} relays`);
  return { pubkey: parsePublicKey(address.pubkey), relays };
}

function canonicalHost(host: string): string {
  const lower = host.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}

function decodeKeyLabel(label: string): Address {
  const pubkey =
    label.length === KEY_LABEL_CHARS ? decodeBase32(label)?.toString('hex') : undefined;
  const address = pubkey === undefined ? decodeBech32(label) : { pubkey, relays: [] };
  if (address === undefined) throw bad(`label ${quote(label)} is not a public key`);
  if (!isPublicKey(address.pubkey)) {
    throw bad(`label ${quote(label)} is a key that is not on the curve`);
  }
  return address;
}

function decodeBech32(label: string): Address | undefined {
  let decoded: DecodedResult;
  try {
    decoded = decode(label);
  } catch {
    return undefined; // Without the cause: its text repeats the label.
  }
  if (decoded.type === 'npub') return { pubkey: decoded.data, relays: [] };
  if (decoded.type !== 'nprofile') return undefined;
  const { pubkey, relays = [] } = decoded.data;
  return { pubkey, relays: relays.map((url) => readRelay(url, label)) };
}

function decodeRelayLabel(label: string): string {
  const bytes = decodeBase32(label);
  if (label === '' || bytes === undefined || !isUtf8(bytes))
    throw bad(`label ${quote(label)} is not base32 of a relay`);
  return readRelay(bytes.toString('utf8'), label);
}

function readRelay(url: string, label: string): string {
  try {
    return normalizeRelayUrl(url);
  } catch (error) {
    throw bad(`label ${quote(label)}: ${(error as NwsError).message}`);
  }
}

/** A label as it may be shown: short, printable ASCII, and never a secret key. */
function quote(label: string): string {
  if (label.startsWith('nsec')) return '"nsec…"';
  const text = label.replace(/[^\x21-\x7e]|["\\<>&]/g, '?');
  return `"${text.length > MAX_LABEL_CHARS ? `${text.slice(0, MAX_LABEL_CHARS)}…` : text}"`;
}

function bad(message: string): NwsError {
  return new NwsError('bad_name', message, { hint: HINT });
}
