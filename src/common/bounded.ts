// Maps and sets with a bound: when one more comes than fits, what was set longest ago is forgotten. Pure.

/** A map of at most `limit` entries, in the order in which they were last set. */
export class BoundedMap<K, V> extends Map<K, V> {
  readonly #limit: number;

  /** @param limit at least 1 */
  constructor(limit: number) {
    super();
    this.#limit = limit;
  }

  override set(key: K, value: V): this {
    this.delete(key);
    super.set(key, value);
    if (this.size > this.#limit) this.delete(this.keys().next().value!);
    return this;
  }
}

/** A set of at most `limit` values, in the order in which they were last added. */
export class BoundedSet<T> extends Set<T> {
  readonly #limit: number;

  /** @param limit at least 1 */
  constructor(limit: number) {
    super();
    this.#limit = limit;
  }

  override add(value: T): this {
    this.delete(value);
    super.add(value);
    if (this.size > this.#limit) this.delete(this.values().next().value!);
    return this;
  }
}
