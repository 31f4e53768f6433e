// The alias book: short names that outlast a command, in one file of the home folder. Read anew when it has
// changed, so that a running proxy notices. Whoever can write it decides where a name leads: it is the owner's alone.

import { join } from 'node:path';
import { NwsError, toNwsError } from '../../errors.js';
import { parseAlias, parseAliasTarget } from '../../protocol/names/alias.js';
import {
  fileIdentity,
  PRIVATE_MODE,
  readPrivateFile,
  replaceFile,
  withLock,
} from '../../tls/files/files.js';

/** Entries of one book. */
export const MAX_ALIASES = 1_024;

const FILE = 'aliases.json';

export class AliasBook {
  readonly path: string;
  #known: ReadonlyMap<string, string> = new Map();
  #identity: string | undefined;

  /** @param home folder; it need not exist yet */
  constructor(home: string) {
    this.path = join(home, FILE);
  }

  /**
   * The entries as they are now, by full name (`shop.nostr`), in the order of the file.
   * @throws NwsError `bad_config` for a file that can't be used
   */
  entries(): ReadonlyMap<string, string> {
    const identity = fileIdentity(this.path);
    if (identity !== this.#identity) {
      this.#known = identity === undefined ? new Map() : this.#read();
      this.#identity = identity;
    }
    return this.#known;
  }

  /**
   * Adds an entry, or changes the one of that name.
   * @throws NwsError `bad_name` where one of the two is no name, `bad_config` where the book can't be written
   */
  add(alias: string, host: string): void {
    const [name, target] = [parseAlias(alias), parseAliasTarget(host)];
    this.#change((entries) => {
      entries.set(name, target);
      if (entries.size > MAX_ALIASES) throw this.#unusable(`holds ${MAX_ALIASES} names already`);
    });
  }

  /** @returns whether there was one. @throws NwsError `bad_name`, `bad_config` */
  remove(alias: string): boolean {
    const name = parseAlias(alias);
    let found = false;
    this.#change((entries) => {
      found = entries.delete(name);
    });
    return found;
  }

  #change(edit: (entries: Map<string, string>) => void): void {
    withLock(`${this.path}.lock`, () => {
      const entries = new Map(this.entries());
      edit(entries);
      const text = JSON.stringify(Object.fromEntries(entries), null, 2);
      replaceFile(this.path, `${text}\n`, PRIVATE_MODE);
    });
  }

  #read(): Map<string, string> {
    const text = readPrivateFile(this.path) ?? '{}';
    let content: unknown;
    try {
      content = JSON.parse(text);
    } catch {
      throw this.#unusable('is not JSON');
    }
    if (typeof content !== 'object' || content === null || Array.isArray(content)) {
      throw this.#unusable('is no object of names');
    }
    const pairs = Object.entries(content);
    if (pairs.length > MAX_ALIASES) throw this.#unusable(`holds more than ${MAX_ALIASES} names`);
    return new Map(pairs.map(([name, host]) => this.#entry(name, host)));
  }

  #entry(name: string, host: unknown): [string, string] {
    try {
      return [parseAlias(name), parseAliasTarget(String(host))];
    } catch (error) {
      throw this.#unusable(`has a wrong entry: ${toNwsError(error).message}`);
    }
  }

  #unusable(why: string): NwsError {
    const hint = 'correct it, or remove it and add the names again with nws alias add';
    return new NwsError('bad_config', `the alias book ${this.path} ${why}`, { hint });
  }
}
