// Which subscriptions of the embedded relay an event is for. Subscriptions by `#p` are found by the tag,
// so that delivering a message doesn't cost a look at every subscription. Also reads filters from clients.
import type { Filter, Event as NostrEvent } from 'nostr-tools';
import { matchFilters } from 'nostr-tools/filter';

/** Filters of one subscription. */
const MAX_FILTERS = 100;

export interface Indexed {
  readonly filters: readonly Filter[];
}

export class FilterIndex<T extends Indexed> {
  readonly #byRecipient = new Map<string, Set<T>>();
  /** Those with a filter without `#p`: looked at for every event. */
  readonly #others = new Set<T>();

  add(entry: T): void {
    const recipients = recipientsOf(entry.filters);
    if (recipients === undefined) this.#others.add(entry);
    for (const recipient of recipients ?? []) {
      const entries = this.#byRecipient.get(recipient) ?? new Set();
      this.#byRecipient.set(recipient, entries.add(entry));
    }
  }

  delete(entry: T): void {
    this.#others.delete(entry);
    for (const recipient of recipientsOf(entry.filters) ?? []) {
      const entries = this.#byRecipient.get(recipient);
      entries?.delete(entry);
      if (entries?.size === 0) this.#byRecipient.delete(recipient);
    }
  }

  match(event: NostrEvent): T[] {
    const candidates = new Set(this.#others);
    for (const [name, value = ''] of event.tags) {
      if (name !== 'p') continue;
      for (const entry of this.#byRecipient.get(value) ?? []) candidates.add(entry);
    }
    return [...candidates].filter((entry) => matchFilters([...entry.filters], event));
  }
}

function recipientsOf(filters: readonly Filter[]): string[] | undefined {
  const lists = filters.map((filter) => filter['#p']);
  return lists.every((list) => list !== undefined) ? [...new Set(lists.flat())] : undefined;
}

/** The filters of a REQ, or undefined if one of them is malformed. Fields that NIP-01 doesn't know are left out. */
export function parseFilters(values: readonly unknown[]): Filter[] | undefined {
  if (values.length === 0 || values.length > MAX_FILTERS) return undefined;
  const filters = values.map(parseFilter);
  return filters.every((filter) => filter !== undefined) ? filters : undefined;
}

function parseFilter(value: unknown): Filter | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const known = Object.entries(value).filter(([name]) => checkOf(name) !== undefined);
  if (!known.every(([name, field]) => checkOf(name)?.(field))) return undefined;
  return Object.fromEntries(known);
}

function checkOf(name: string): ((field: unknown) => boolean) | undefined {
  if (/^#[a-zA-Z]$/.test(name) || name === 'ids' || name === 'authors') return isTextList;
  if (name === 'kinds') return isNumberList;
  return name === 'since' || name === 'until' || name === 'limit' ? isCount : undefined;
}

function isTextList(field: unknown): boolean {
  return Array.isArray(field) && field.every((item) => typeof item === 'string');
}

function isNumberList(field: unknown): boolean {
  return Array.isArray(field) && field.every(isCount);
}

function isCount(field: unknown): boolean {
  return Number.isSafeInteger(field) && (field as number) >= 0;
}
