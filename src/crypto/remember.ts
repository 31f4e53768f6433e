// A function that remembers its latest answers: a least-recently-used cache with a bound.

/** Wraps `compute` so that up to `limit` answers are kept; the one unused for longest makes room. Failures aren't kept. */
export function remember<Value>(
  limit: number,
  compute: (key: string) => Value,
): (key: string) => Value {
  const kept = new Map<string, Value>();
  return (key) => {
    const value = kept.has(key) ? (kept.get(key) as Value) : compute(key);
    // A Map keeps the order of insertion: with every use inserted anew, the first is the oldest.
    kept.delete(key);
    kept.set(key, value);
    if (kept.size > limit) kept.delete(kept.keys().next().value!);
    return value;
  };
}
