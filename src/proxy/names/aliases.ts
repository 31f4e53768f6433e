// Every short name that counts: those of the settings, which go first, and those of the alias book.

import type { Logger } from 'pino';
import { closest } from '../../common/closest.js';
import { toNwsError } from '../../errors.js';
import { canonicalName } from '../../protocol/names/alias.js';

/** What keeps aliases on disk: an AliasBook. */
export interface Book {
  /** May throw: then the latest that it gave stands. */
  entries(): ReadonlyMap<string, string>;
}

export class Aliases {
  #settings: ReadonlyMap<string, string> = new Map();
  readonly #book: Book | undefined;
  readonly #log: Logger;
  #kept: ReadonlyMap<string, string> = new Map();
  #complaint: string | undefined;

  constructor(settings: ReadonlyMap<string, string>, book: Book | undefined, log: Logger) {
    this.#book = book;
    this.#log = log;
    this.replace(settings);
  }

  /** Takes other ones for those of the settings. */
  replace(settings: ReadonlyMap<string, string>): void {
    this.#settings = new Map([...settings].map(([name, host]) => [canonicalName(name), host]));
  }

  /** What a name stands for, in any case and with or without a dot at the end. */
  get(host: string): string | undefined {
    const name = canonicalName(host);
    return this.#settings.get(name) ?? this.#entries().get(name);
  }

  /** The name that was probably meant. */
  nearest(host: string): string | undefined {
    return closest(canonicalName(host), [...this.#settings.keys(), ...this.#entries().keys()]);
  }

  /** A book that somebody broke is no reason to fail: what was read before still holds. */
  #entries(): ReadonlyMap<string, string> {
    try {
      this.#kept = this.#book?.entries() ?? this.#kept;
      this.#complaint = undefined;
    } catch (error) {
      const { line } = toNwsError(error);
      if (line !== this.#complaint) this.#log.warn(line);
      this.#complaint = line;
    }
    return this.#kept;
  }
}
