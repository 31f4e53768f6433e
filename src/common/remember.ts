// A function that remembers its latest answers: a least-recently-used cache with a bound.

import { BoundedMap } from './bounded.js';

/** Wraps `compute` so that up to `limit` answers are kept; the one unused for longest makes room. Failures aren't kept. */
export function remember<Value>(
  limit: number,
  compute: (key: string) => Value,
): (key: string) => Value {
  const kept = new BoundedMap<string, Value>(limit);
  return (key) => {
    const value = kept.has(key) ? (kept.get(key) as Value) : compute(key);
    kept.set(key, value);
    return value;
  };
}
