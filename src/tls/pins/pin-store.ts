// The newest pin of every exit that was ever seen, in `<home>/pins.json`: what guards against roll-back.
// Processes that share a home see each other's pins. Asking relays is pins.ts's matter.

import { join } from 'node:path';
import type { Event as NostrEvent } from 'nostr-tools';
import { BoundedMap } from '../../common/bounded.js';
import { NwsError } from '../../errors.js';
import {
  fileIdentity,
  PRIVATE_MODE,
  readPrivateFile,
  replaceFile,
  withLock,
} from '../files/files.js';
import {
  isNewer,
  MAX_PEM_CHARS,
  type Pin,
  type PinHistory,
  type PinRecord,
  pinOf,
  readPin,
} from './pin.js';

/** Beyond this the pin that was recorded first is forgotten. A pin takes about a kilobyte. */
const MAX_PINS = 5_000;
const FILE_VERSION = 1;
const HEX_32_BYTES = /^[0-9a-f]{64}$/;

export class PinStore {
  readonly #path: string;
  /** In the order of recording. */
  #records = new BoundedMap<string, PinRecord>(MAX_PINS);
  /** Read on demand from the records: parsing thousands of certificates takes its time. */
  #pins = new WeakMap<PinRecord, Pin>();
  /** Identity of the file as last read; a write by any process changes it. */
  #seen: string | undefined;

  private constructor(path: string) {
    this.#path = path;
  }

  /** @throws NwsError `bad_config` for a file that is broken or readable by others. */
  static async open(home: string): Promise<PinStore> {
    const store = new PinStore(join(home, 'pins.json'));
    store.#refresh();
    return store;
  }

  /**
   * The newest pin on record.
   * @throws NwsError `bad_config` when the file was broken since.
   */
  get(pubkey: string): Pin | undefined {
    this.#refresh();
    const record = this.#records.get(pubkey);
    return record && this.#pinOf(record);
  }

  /**
   * Checks a certificate event and records it if it is the newest of its author.
   * @returns the pin that stands then: with an event that is older, the one on record.
   * @throws NwsError `pin_mismatch` for an event that can't be believed, `bad_config` when the file
   *   can't be read or written: a pin that can't be kept would not guard.
   */
  offer(event: NostrEvent): Pin {
    const pin = readPin(event, event.pubkey, Math.floor(Date.now() / 1000));
    const standing = this.get(pin.pubkey);
    if (standing !== undefined && !isNewer(pin, standing)) return standing;
    const { pubkey, eventId, createdAt, pem, reliable, version } = pin;
    withLock(`${this.#path}.lock`, () => {
      this.#refresh();
      const history = this.#historyWith(pin);
      this.#merge({ pubkey, eventId, createdAt, pem, reliable, version, history });
      this.#write();
    });
    return this.get(pubkey) ?? pin;
  }

  /** Pins on record. */
  get size(): number {
    return this.#records.size;
  }

  /**
   * The pins that were recorded last, the newest first, with what came before them.
   * @throws NwsError `bad_config` when the file was broken since.
   */
  latest(limit: number): (Pin & { readonly history?: PinHistory | undefined })[] {
    this.#refresh();
    const records = [...this.#records.values()].slice(-limit).reverse();
    return records.map((record) => ({ ...this.#pinOf(record), history: record.history }));
  }

  #historyWith({ pubkey, pem }: Pin): PinHistory {
    const before = this.#records.get(pubkey);
    const now = Math.floor(Date.now() / 1000);
    // Records of earlier versions have none.
    const history = before?.history ?? { since: before?.createdAt ?? now, changes: 0 };
    if (before === undefined || before.pem === pem) return history;
    return { ...history, changes: history.changes + 1, changedAt: now };
  }

  #pinOf(record: PinRecord): Pin {
    const known = this.#pins.get(record);
    if (known !== undefined) return known;
    try {
      const pin = pinOf(record);
      this.#pins.set(record, pin);
      return pin;
    } catch (cause) {
      throw broken(this.#path, cause);
    }
  }

  /** Takes in what other processes wrote. A file that is gone changes nothing; the next write restores it. */
  #refresh(): void {
    const identity = fileIdentity(this.#path);
    if (identity === undefined || identity === this.#seen) return;
    const text = readPrivateFile(this.#path);
    if (text === undefined) return;
    for (const record of decode(this.#path, text)) this.#merge(record);
    this.#seen = identity;
  }

  #merge(record: PinRecord): void {
    const known = this.#records.get(record.pubkey);
    if (known !== undefined && !isNewer(record, known)) return;
    this.#records.set(record.pubkey, record);
  }

  #write(): void {
    const pins = [...this.#records.values()];
    replaceFile(this.#path, `${JSON.stringify({ version: FILE_VERSION, pins })}\n`, PRIVATE_MODE);
    this.#seen = fileIdentity(this.#path);
  }
}

function decode(path: string, text: string): PinRecord[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw broken(path, cause);
  }
  const { version, pins } = (value ?? {}) as { version?: unknown; pins?: unknown };
  if (version !== FILE_VERSION || !Array.isArray(pins) || !pins.every(isRecord)) throw broken(path);
  return pins;
}

function isRecord(value: unknown): value is PinRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { pubkey, eventId, createdAt, pem, reliable, version, history } = value as Record<
    string,
    unknown
  >;
  return (
    typeof pubkey === 'string' &&
    HEX_32_BYTES.test(pubkey) &&
    typeof eventId === 'string' &&
    HEX_32_BYTES.test(eventId) &&
    Number.isSafeInteger(createdAt) &&
    typeof pem === 'string' &&
    pem.length <= MAX_PEM_CHARS &&
    typeof reliable === 'boolean' &&
    (version === undefined || Number.isSafeInteger(version)) &&
    (history === undefined || isHistory(history))
  );
}

function isHistory(value: unknown): value is PinHistory {
  if (typeof value !== 'object' || value === null) return false;
  const { since, changes, changedAt } = value as Record<string, unknown>;
  const isCount = (part: unknown): boolean => Number.isSafeInteger(part) && Number(part) >= 0;
  return isCount(since) && isCount(changes) && (changedAt === undefined || isCount(changedAt));
}

function broken(path: string, cause?: unknown): NwsError {
  return new NwsError('bad_config', `${path} is broken`, {
    hint: 'restore it from a backup; removing it makes the proxy trust what relays offer first',
    cause,
  });
}
