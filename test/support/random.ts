// A small seeded generator (mulberry32), so that a failing run replays exactly from its seed.

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform integer in [0, below). */
  integer(below: number): number;
  chance(probability: number): boolean;
  bytes(length: number): Buffer;
  uuid(): string;
}

export function random(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (below: number): number => Math.floor(next() * below);
  const bytes = (length: number): Buffer => {
    const result = Buffer.allocUnsafe(length);
    for (let index = 0; index < length; index += 1) result[index] = integer(256);
    return result;
  };
  return {
    next,
    integer,
    bytes,
    chance: (probability) => next() < probability,
    uuid: () => {
      const hex = bytes(16).toString('hex');
      const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)];
      return [...parts, hex.slice(20)].join('-');
    },
  };
}
