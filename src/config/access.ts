// Who may use an exit, for what and how much, and which exits the clear web may use: settings to parts.

import { type ClientLimits, DEFAULT_CLIENT_LIMITS } from '../exit/clients/clients.js';
import { parseRule, type Rule } from '../exit/policy/rules.js';
import { MAX_STREAMS } from '../limits.js';
import { type Address, decodeHost } from '../protocol/names/address.js';
import { parsePublicKey } from '../protocol/names/public-key.js';
import { named, type Setting, type Settings } from './env.js';

export interface AccessConfig {
  readonly allow: readonly Rule[];
  /** Goes before `allow`. */
  readonly deny: readonly Rule[];
  /** Keys in hex. Unset: everybody. */
  readonly allowClients?: ReadonlySet<string>;
  /** Goes before `allowClients`. */
  readonly denyClients: ReadonlySet<string>;
  readonly clientLimits: ClientLimits;
}

const MAX_CLIENT_OPENS = 1_000_000;
/** Below this not even a web page gets through in reasonable time; above it no network is that fast. */
const CLIENT_RATE = { min: 1_024, max: 2 ** 40 };

/** @throws NwsError `bad_config` that names the flag or variable. */
export function access(settings: Settings): AccessConfig {
  const rules = (flag: string, variable: string): readonly Rule[] =>
    Object.freeze(settings.list({ flag, variable }).map((setting) => read(setting, parseRule)));
  const allowClients = clients(settings, 'allow-client', 'NWS_ALLOW_CLIENTS');
  return {
    allow: rules('allow', 'NWS_ALLOW'),
    deny: rules('deny', 'NWS_DENY'),
    ...(allowClients && { allowClients }),
    denyClients: clients(settings, 'deny-client', 'NWS_DENY_CLIENTS') ?? new Set(),
    clientLimits: Object.freeze(clientLimits(settings)),
  };
}

/** Exits by npub, nprofile, name or hex. @throws NwsError `bad_config` that names the flag or variable. */
export function exits(settings: Settings): readonly Address[] {
  const list = settings.list({ flag: 'exit', variable: 'NWS_EXITS' });
  return Object.freeze(list.map((setting) => read(setting, exitAddress)));
}

/** The keys of such exits, in hex. @throws NwsError `bad_config` that names the flag or variable. */
export function exitKeys(
  settings: Settings,
  name: { readonly flag: string; readonly variable: string },
): Set<string> {
  return new Set(settings.list(name).map((setting) => read(setting, exitAddress).pubkey));
}

function exitAddress(text: string): Address {
  const isHex = /^[0-9a-f]{64}$/i.test(text);
  return isHex ? { pubkey: parsePublicKey(text), relays: [] } : decodeHost(text);
}

function clients(settings: Settings, flag: string, variable: string): Set<string> | undefined {
  const list = settings.list({ flag, variable });
  if (list.length === 0) return undefined;
  return new Set(list.map((setting) => read(setting, parsePublicKey)));
}

function clientLimits(settings: Settings): ClientLimits {
  const streams = { flag: 'client-streams', variable: 'NWS_CLIENT_STREAMS' };
  const opens = { flag: 'client-opens', variable: 'NWS_CLIENT_OPENS' };
  const rate = { flag: 'client-rate', variable: 'NWS_CLIENT_RATE' };
  const upTo = (max: number) => ({ min: 1, max });
  return {
    streams: settings.number(streams, upTo(MAX_STREAMS)) ?? DEFAULT_CLIENT_LIMITS.streams,
    opensPerMinute:
      settings.number(opens, upTo(MAX_CLIENT_OPENS)) ?? DEFAULT_CLIENT_LIMITS.opensPerMinute,
    bytesPerSecond: settings.number(rate, CLIENT_RATE) ?? Number.POSITIVE_INFINITY,
  };
}

function read<T>(setting: Setting, parse: (text: string) => T): T {
  try {
    return parse(setting.text);
  } catch (error) {
    throw named(setting, error);
  }
}
