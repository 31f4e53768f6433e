// What one viewer of the page sees: the rows that it asked for, and of those what changed since it looked last.

import type { Accounts, OpenStream } from '../../tunnel/accounts/accounts.js';
import { npubOf } from '../state/npubs.js';
import type { Tables } from '../state/report.js';
import {
  errorsOf,
  peersOf,
  pinsOf,
  relaysOf,
  type Subject,
  streamRow,
  targetsOf,
} from '../state/watch.js';

/** Rows of a table. Whoever looks for others has a filter. */
const MAX_ROWS = 100;
const MAX_FILTER = 100;

const SORTS = {
  bytes: (a: OpenStream, b: OpenStream): number => sizeOf(b) - sizeOf(a) || b.id - a.id,
  newest: (a: OpenStream, b: OpenStream): number => b.id - a.id,
  oldest: (a: OpenStream, b: OpenStream): number => a.id - b.id,
} as const;

/** What changed in a table. */
export interface Change {
  /** Rows that are new or other than before, each with an `id`. */
  readonly rows: readonly object[];
  /** Ids of those that are gone. */
  readonly gone: readonly string[];
}

export class View {
  readonly #filter: string;
  readonly #sort: (a: OpenStream, b: OpenStream) => number;
  /** By table and id: the row as it was sent last. */
  readonly #sent = new Map<keyof Tables, Map<string, string>>();

  /** @param query `filter`: part of a stream's host or key, or of its peer's npub; `sort`: bytes, newest or oldest */
  constructor(query: URLSearchParams) {
    this.#filter = (query.get('filter') ?? '').trim().toLowerCase().slice(0, MAX_FILTER);
    const sort = query.get('sort') ?? '';
    this.#sort = Object.hasOwn(SORTS, sort) ? SORTS[sort as keyof typeof SORTS] : SORTS.bytes;
  }

  /** What changed since the last call; at first, everything. */
  changes(subject: Subject): Partial<Record<keyof Tables, Change>> & { readonly matching: number } {
    const matching = this.#matching(subject.accounts);
    const streams = matching.sort(this.#sort).slice(0, MAX_ROWS).map(streamRow);
    const tables = {
      relays: withIds(relaysOf(subject), ({ url }) => url),
      streams: withIds(streams, ({ id }) => String(id)),
      pins: withIds(pinsOf(subject, MAX_ROWS), ({ pubkey }) => pubkey),
      peers: withIds(peersOf(subject, MAX_ROWS), ({ pubkey }) => pubkey),
      targets: withIds(targetsOf(subject, MAX_ROWS), ({ host }) => host),
      errors: withIds(errorsOf(subject), ({ code }) => code),
    };
    const changed: Partial<Record<keyof Tables, Change>> = {};
    for (const [name, rows] of Object.entries(tables) as [keyof Tables, Row[]][]) {
      const change = this.#changeOf(name, rows);
      if (change !== undefined) changed[name] = change;
    }
    return { ...changed, matching: matching.length };
  }

  #matching({ streams }: Accounts): OpenStream[] {
    const filter = this.#filter;
    if (filter === '') return [...streams];
    return [...streams].filter(({ destination, key = '', way, peer }) => {
      const texts = [destination.toLowerCase(), key, way, peer, npubOf(peer)];
      return texts.some((text) => text.includes(filter));
    });
  }

  #changeOf(name: keyof Tables, rows: readonly Row[]): Change | undefined {
    const before = this.#sent.get(name);
    const now = new Map(rows.map((row) => [row.id, JSON.stringify(row)]));
    this.#sent.set(name, now);
    const changed = rows.filter(({ id }) => before?.get(id) !== now.get(id));
    const gone = before === undefined ? [] : [...before.keys()].filter((id) => !now.has(id));
    return changed.length + gone.length > 0 ? { rows: changed, gone } : undefined;
  }
}

type Row = { readonly id: string };

function withIds<T extends object>(rows: readonly T[], idOf: (row: T) => string): Row[] {
  return rows.map((row) => ({ ...row, id: idOf(row) }));
}

function sizeOf({ bytes: { bytesUp, bytesDown } }: OpenStream): number {
  return bytesUp + bytesDown;
}
