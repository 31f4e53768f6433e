// Flags, environment and `.env` to one frozen, checked configuration a role.
// Pure: reads no file. Each error names the flag or variable at fault and says what to do.

import { isIPv4 } from 'node:net';
import { createSigner, parseSecretKey, type Signer } from './crypto/signer.js';
import { badSetting, type Setting, Settings, type Sources } from './env.js';
import { NwsError, toNwsError } from './errors.js';
import { parseTarget, type Target } from './exit/target.js';
import { decodeHost, isNostrHost, normalizeRelayUrl } from './protocol/address.js';
import { type RelayBehaviour, strfryBehaviour } from './relay/relay-behaviour.js';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
const LOG_FORMATS = ['pretty', 'json'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** Where the entry listens, unless told otherwise: the port of the Go program. */
const DEFAULT_LISTEN = '127.0.0.1:8882';

const DEFAULT_RELAY_LISTEN = '127.0.0.1:7777';
/** Longest delay and interval of the embedded relay. */
const MAX_RELAY_MS = 3_600_000;

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** What every command needs. */
export interface BaseConfig {
  /** Folder for keys, certificates and pins: an absolute path. */
  readonly home: string;
  readonly logLevel: LogLevel;
  /** Unset: pretty on a terminal, JSON elsewhere. */
  readonly logFormat: LogFormat | undefined;
  readonly relays: readonly string[];
  readonly aliases: ReadonlyMap<string, string>;
  /** Lines for the user about settings that work otherwise than they may expect. */
  readonly warnings: readonly string[];
}

/** A key given as text is held inside its signer; `keyFile` is still to be read. */
export interface IdentityConfig {
  readonly signer: Signer | undefined;
  readonly keyFile: string | undefined;
}

export interface ProxyConfig extends BaseConfig, IdentityConfig {
  readonly listen: ListenAddress;
  readonly tls: 'terminate' | 'passthrough';
  readonly requirePin: boolean;
  readonly clearnet: 'direct' | 'deny';
}

export interface ExitConfig extends BaseConfig, IdentityConfig {
  readonly target: Target;
  readonly hostHeader: string | undefined;
}

/** Settings of a later version, which must not be thought to be in force. */
const IGNORED = ['PUBLIC', 'PUBLIC_ADDRESS', 'NWS_AUTH', 'NWS_ALLOW_CLIENTS', 'NWS_ALLOW'];
IGNORED.push('NWS_DENY', 'NWS_EXITS');

/** The relay in memory, and how it misbehaves for tests. */
export interface RelayConfig extends BaseConfig {
  readonly listen: ListenAddress;
  readonly behaviour: Partial<RelayBehaviour>;
  /** Makes loss and duplicates repeatable. */
  readonly seed: number | undefined;
}

/** @throws NwsError `bad_config`, as every function here, naming the flag or variable. */
export function baseConfig(sources: Sources, defaultLevel: LogLevel = 'info'): BaseConfig {
  return Object.freeze(base(new Settings(sources), defaultLevel));
}

export function proxyConfig(sources: Sources, defaultLevel: LogLevel = 'info'): ProxyConfig {
  const settings = new Settings(sources);
  const listen = settings.text({ flag: 'listen', variable: 'NWS_LISTEN' });
  const tls = settings.choice({ flag: 'tls', variable: 'NWS_TLS' }, ['terminate', 'passthrough']);
  const clearnet = { flag: 'clearnet', variable: 'NWS_CLEARNET' };
  return Object.freeze({
    ...identity(settings, base(settings, defaultLevel)),
    listen: parseListen(listen ?? { text: DEFAULT_LISTEN, origin: 'the default' }),
    tls: tls ?? 'terminate',
    requirePin: settings.toggle({ flag: 'require-pin', variable: 'NWS_REQUIRE_PIN' }),
    clearnet: settings.choice(clearnet, ['direct', 'deny']) ?? 'direct',
  });
}

export function exitConfig(sources: Sources): ExitConfig {
  const settings = new Settings(sources);
  const config = identity(settings, base(settings, 'info'));
  const target = targetOf(settings);
  if (config.relays.length === 0) {
    const hint = 'add --relay wss://…, or set NOSTR_RELAYS';
    throw new NwsError('no_relay', 'an exit needs a relay to be reached at', { hint });
  }
  const hostHeader = settings.text({ flag: 'host-header', variable: 'NWS_HOST_HEADER' })?.text;
  return Object.freeze({ ...config, target, hostHeader });
}

/** By flags alone: NWS_LISTEN is where the proxy listens. */
export function relayConfig(sources: Sources): RelayConfig {
  const settings = new Settings(sources);
  const listen = settings.flag('listen') ?? { text: DEFAULT_RELAY_LISTEN, origin: 'the default' };
  return Object.freeze({
    ...base(settings, 'info'),
    listen: parseListen(listen),
    behaviour: relayBehaviour(settings),
    seed: settings.number({ flag: 'seed' }, { min: 0, max: 2 ** 32 - 1 }),
  });
}

function relayBehaviour(settings: Settings): Partial<RelayBehaviour> {
  const preset = settings.choice({ flag: 'behave' }, ['plain', 'strfry']);
  const ms = { min: 0, max: MAX_RELAY_MS };
  const share = { min: 0, max: 1, whole: false };
  const bytes = { min: 1, max: 2 ** 30 };
  const asked = {
    deliveryDelayMs: settings.number({ flag: 'delay' }, ms),
    loss: settings.number({ flag: 'loss' }, share),
    duplicate: settings.number({ flag: 'duplicate' }, share),
    reorder: settings.toggle({ flag: 'reorder' }) || undefined,
    replayEphemerals: settings.toggle({ flag: 'replay' }) || undefined,
    maxEventBytes: settings.number({ flag: 'max-event-bytes' }, bytes),
    disconnectEveryMs: settings.number({ flag: 'disconnect-every' }, ms),
  };
  const given = Object.entries(asked).filter(([, value]) => value !== undefined);
  return { ...(preset === 'strfry' ? strfryBehaviour : {}), ...Object.fromEntries(given) };
}

/**
 * `host:port`, `[::1]:port`, `:port` or a port alone; port 0 is any free one.
 * Only loopback: whoever reaches the port can use it.
 */
function parseListen({ text, origin }: Setting): ListenAddress {
  const match = /^(?:(?:\[([^\]]*)\]|([^:]*)):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw badSetting(`${origin} is not an address: ${text}`, `write it like ${DEFAULT_LISTEN}`);
  }
  const host = match[1] || match[2] || '127.0.0.1';
  if (isLoopback(host)) return { host, port };
  const hint = `use 127.0.0.1:${port}; other addresses need authentication, which comes later`;
  throw badSetting(`${origin} may only be a loopback address, not ${host}`, hint);
}

function base(settings: Settings, defaultLevel: LogLevel): BaseConfig {
  const level = { flag: 'log-level', variable: 'NWS_LOG_LEVEL' };
  const format = { flag: 'log-format', variable: 'NWS_LOG_FORMAT' };
  const relays = settings.list({ flag: 'relay', variable: 'NOSTR_RELAYS' }).map(relayUrl);
  return {
    home: settings.path({ flag: 'home', variable: 'NWS_HOME' }) ?? settings.defaultHome,
    logLevel: settings.choice(level, LOG_LEVELS) ?? defaultLevel,
    logFormat: settings.choice(format, LOG_FORMATS),
    relays: Object.freeze([...new Set(relays)]),
    aliases: new Map(settings.list({ flag: 'alias', variable: 'NWS_ALIASES' }).map(alias)),
    warnings: ignoredSettings(settings),
  };
}

function identity<T extends BaseConfig>(settings: Settings, config: T): T & IdentityConfig {
  const flagged = settings.flag('key');
  const flaggedFile = settings.path({ flag: 'key-file' });
  if (flagged && flaggedFile) throw badSetting('--key and --key-file are both given', 'give one');
  const key = flagged ?? (flaggedFile ? undefined : settings.variable('NOSTR_PRIVATE_KEY'));
  const warnings = [...config.warnings];
  if (flagged) warnings.push('--key shows in the shell history: better use --key-file');
  return {
    ...config,
    warnings,
    signer: key && signerOf(key),
    keyFile: key ? undefined : (flaggedFile ?? settings.path({ variable: 'NWS_KEY_FILE' })),
  };
}

function signerOf({ text, origin }: Setting): Signer {
  try {
    return createSigner(parseSecretKey(text));
  } catch (error) {
    const { hint } = toNwsError(error);
    throw badSetting(`${origin} is not a secret key`, hint ?? 'give 64 hex digits or an nsec1…');
  }
}

function targetOf(settings: Settings): Target {
  const setting = settings.text({ flag: 'target', variable: 'BACKEND_HOST' });
  if (setting === undefined) {
    const hint = 'add --target http://127.0.0.1:3000, https://…, or tcp://127.0.0.1:22';
    throw badSetting('an exit needs --target', hint);
  }
  try {
    return parseTarget(setting.origin === '--target' ? setting.text : backendUrl(setting.text));
  } catch (error) {
    const { message, hint } = toNwsError(error);
    const reason = message.replace(/^--target /, '');
    throw badSetting(`${setting.origin} ${reason}`, hint ?? 'give a URL', error);
  }
}

/** BACKEND_HOST as the Go program reads it: raw TCP to `host:port`, or to a port of this machine. */
function backendUrl(text: string): string {
  if (text.includes('://')) return text;
  return `tcp://${text.startsWith(':') ? `127.0.0.1${text}` : text}`;
}

function relayUrl(setting: Setting): string {
  try {
    return normalizeRelayUrl(setting.text);
  } catch (error) {
    throw named(setting, error);
  }
}

function alias(setting: Setting): [string, string] {
  const at = setting.text.indexOf('=');
  const name = setting.text.slice(0, Math.max(at, 0)).trim().toLowerCase().replace(/\.$/, '');
  const host = setting.text.slice(at + 1).trim();
  if (!/^[a-z0-9-]+(\.[a-z0-9-]+)*\.nostr$/.test(name) || !isNostrHost(host)) {
    const hint = 'write it like shop.nostr=<name>.nostr';
    throw badSetting(`${setting.origin} is not an alias: ${setting.text}`, hint);
  }
  try {
    decodeHost(host);
  } catch (error) {
    throw named(setting, error);
  }
  return [name, host];
}

function ignoredSettings(settings: Settings): string[] {
  const set = IGNORED.filter((variable) => {
    const text = settings.variable(variable)?.text.toLowerCase();
    return text !== undefined && text !== 'false';
  });
  return set.length === 0 ? [] : [`this version ignores ${set.join(', ')}`];
}

/** The same failure as one of settings, with the flag or variable in front. */
function named({ origin }: Setting, error: unknown): NwsError {
  const { message, hint } = toNwsError(error);
  return badSetting(`${origin}: ${message}`, hint ?? 'correct it or leave it out', error);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}
