// Things by the time at which each is due, the earliest at hand (a binary heap that knows every place). Pure.

interface Timed<T> {
  readonly item: T;
  at: number;
}

/** Each item is in it at most once; it costs the logarithm of how many there are. */
export class TimeHeap<T> {
  readonly #heap: Timed<T>[] = [];
  readonly #places = new Map<T, number>();

  /** When the earliest is due. */
  get earliestAt(): number | undefined {
    return this.#heap[0]?.at;
  }

  /** Whether the earliest is due by `now`; it is taken out then, and handed back. */
  takeDue(now: number): T | undefined {
    const [first] = this.#heap;
    if (first === undefined || first.at > now) return undefined;
    this.delete(first.item);
    return first.item;
  }

  /** Due at that time instead of any before; undefined: never. */
  set(item: T, at: number | undefined): void {
    if (at === undefined) {
      this.delete(item);
      return;
    }
    const place = this.#places.get(item);
    if (place === undefined) {
      this.#heap.push({ item, at });
      this.#settle(this.#heap.length - 1);
    } else if (this.#heap[place]!.at !== at) {
      this.#heap[place]!.at = at;
      this.#settle(place);
    }
  }

  delete(item: T): void {
    const place = this.#places.get(item);
    if (place === undefined) return;
    this.#places.delete(item);
    const last = this.#heap.pop()!;
    if (last.item === item) return;
    this.#heap[place] = last;
    this.#settle(place);
  }

  /** Moves what stands there to where it belongs. */
  #settle(from: number): void {
    const heap = this.#heap;
    const moved = heap[from]!;
    let place = from;
    const put = (timed: Timed<T>): void => {
      heap[place] = timed;
      this.#places.set(timed.item, place);
    };
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (heap[parent]!.at <= moved.at) break;
      put(heap[parent]!);
      place = parent;
    }
    for (;;) {
      const left = 2 * place + 1;
      const right = left + 1;
      const isRight = right < heap.length && heap[right]!.at < heap[left]!.at;
      const child = isRight ? right : left;
      if (child >= heap.length || heap[child]!.at >= moved.at) break;
      put(heap[child]!);
      place = child;
    }
    put(moved);
  }
}
