// Settings, read again while a service runs (SIGHUP): what can change without harm does, of the rest it is said that
// it takes a restart. Settings that can't be used change nothing.

import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { BaseConfig } from '../../config/config.js';
import type { Sources } from '../../config/env.js';
import { toNwsError } from '../../errors.js';
import { type Flags, type Io, sourcesOf } from '../io.js';

/** Fields that are called otherwise than their flag. */
const FLAGS: Readonly<Record<string, string>> = {
  relays: 'relay',
  exits: 'exit',
  aliases: 'alias',
  isPublic: 'public',
  announceIntervalS: 'announce-interval',
  allowClients: 'allow-client',
  denyClients: 'deny-client',
  clientLimits: 'client-streams, --client-opens, --client-rate',
  targetTrust: 'target-ca, --target-name, --target-fingerprint',
  signer: 'key',
};

export interface Reloading<C extends BaseConfig> {
  readonly read: (sources: Sources) => C;
  /** What the service was started with. */
  readonly config: C;
  /** Fields that `apply` knows to change. The log's level is always one. */
  readonly live: readonly (keyof C & string)[];
}

/** @returns what to do at each SIGHUP; `apply` gets the settings as they are then. Never rejects */
export function reloader<C extends BaseConfig, S>(
  io: Io,
  flags: Flags,
  log: Logger,
  { read, config, live }: Reloading<C>,
  apply: (service: S, config: C) => void,
): (service: S) => Promise<void> {
  let current = config;
  const isLive = (field: string): boolean => field === 'logLevel' || live.includes(field as never);
  return async (service) => {
    let next: C;
    try {
      next = read(await sourcesOf(io, flags));
    } catch (error) {
      const { message, hint } = toNwsError(error);
      return log.error({ hint }, `the settings stay as they were: ${message}`);
    }
    const changed = changes(current, next);
    const taken = changed.filter(isLive);
    const left = changed.filter((field) => !isLive(field));
    log.level = next.logLevel;
    apply(service, next);
    // What was not taken is still another one than what runs.
    current = { ...next, ...pick(current, left) };
    if (taken.length > 0) log.info(`settings were read again: ${names(taken)}`);
    if (left.length > 0) log.warn(`${names(left)} changed: that takes a restart`);
    if (changed.length === 0) log.info('settings were read again: nothing has changed');
  };
}

/** Fields that differ. Warnings are words about others. */
function changes<C extends BaseConfig>(from: C, to: C): (keyof C & string)[] {
  const fields = new Set([...Object.keys(from), ...Object.keys(to)]) as Set<keyof C & string>;
  fields.delete('warnings' as never);
  return [...fields].filter((field) => !isDeepStrictEqual(plain(from[field]), plain(to[field])));
}

/** A signer is known by its public half alone. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('pubkey' in value)) return value;
  return value.pubkey;
}

function pick<C extends BaseConfig>(config: C, fields: readonly (keyof C & string)[]): Partial<C> {
  return Object.fromEntries(fields.map((field) => [field, config[field]])) as Partial<C>;
}

function names(fields: readonly string[]): string {
  const dashed = (field: string): string =>
    FLAGS[field] ?? field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return fields.map((field) => `--${dashed(field)}`).join(', ');
}
