// `<relay>….<key>.nostr` as PROTOCOL, part 1, spells it: base32 with the extended hex alphabet, which happens to be
// the digits of JavaScript's own numbers in base 32.

export interface Named {
  /** Hex. */
  readonly pubkey: string;
  readonly relays: readonly string[];
}

export function nameOf({ pubkey, relays }: Named): string {
  const parts = [...relays.map((url) => Buffer.from(url)), Buffer.from(pubkey, 'hex')];
  return `${parts.map(labelOf).join('.')}.nostr`;
}

export function readName(name: string): Named {
  const labels = name.replace(/\.nostr$/, '').split('.');
  const parts = labels.map(bytesOf);
  const pubkey = parts.pop()!.toString('hex');
  return { pubkey, relays: parts.map(String) };
}

function labelOf(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const groups = bits.match(/.{1,5}/g) ?? [];
  return groups.map((group) => Number.parseInt(group.padEnd(5, '0'), 2).toString(32)).join('');
}

function bytesOf(label: string): Buffer {
  const digits = [...label].map((digit) => Number.parseInt(digit, 32));
  const bits = digits.map((digit) => digit.toString(2).padStart(5, '0')).join('');
  const groups = bits.match(/.{8}/g) ?? [];
  return Buffer.from(groups.map((group) => Number.parseInt(group, 2)));
}
