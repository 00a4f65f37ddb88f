// A cache of few entries that forgets the one that was not used for longest: what is made for the extents of a call
// is worth keeping for the next calls, but extents may change without end.

export class Recent<Value> {
  /** Oldest use first. */
  readonly #entries = new Map<string, Value>();
  readonly #capacity: number;
  readonly #forget: (value: Value) => void;

  /** @param forget called for each value that has to make room. */
  constructor(capacity: number, forget: (value: Value) => void) {
    this.#capacity = capacity;
    this.#forget = forget;
  }

  /** The value kept under the key; it counts as used. */
  get(key: string): Value | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  /** Keeps a value under a key that has none. */
  put(key: string, value: Value): void {
    this.#entries.set(key, value);
    const [oldest] = this.#entries;
    if (oldest === undefined || this.#entries.size <= this.#capacity) return;
    this.#entries.delete(oldest[0]);
    this.#forget(oldest[1]);
  }

  /** Forgets everything. */
  clear(): void {
    for (const value of this.#entries.values()) this.#forget(value);
    this.#entries.clear();
  }
}
