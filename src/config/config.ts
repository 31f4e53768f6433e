// Flags, environment and `.env` to one frozen, checked configuration a role.
// Pure: reads no file. Each error names the flag or variable at fault and says what to do.

import { NwsError, toNwsError } from '../errors.js';
import { parseTarget, type Target } from '../exit/targets/target.js';
import { type Address, normalizeRelayUrl } from '../protocol/names/address.js';
import { parseAlias, parseAliasTarget } from '../protocol/names/alias.js';
import type { RelayBehaviour } from '../relay/embedded/behaviour.js';
import { PRESETS, type PresetName } from '../relay/embedded/presets.js';
import { type AccessConfig, access, exits } from './access.js';
import {
  DEFAULT_LISTEN,
  demandLoopback,
  isLoopback,
  type ListenAddress,
  parseListen,
  type ReverseAddresses,
  reverseAddresses,
} from './addresses.js';
import { type DirectConfig, direct } from './direct.js';
import { badSetting, named, type Setting, Settings, type Sources } from './env.js';
import {
  type Credentials,
  credentials,
  type IdentityConfig,
  identity,
  secretWarnings,
} from './identity.js';
import { type StatusConfig, statusConfig } from './status.js';
import { type TargetTrustConfig, targetTrust } from './target-trust.js';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export const LOG_FORMATS = ['pretty', 'json'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

const DEFAULT_RELAY_LISTEN = '127.0.0.1:7777';
/** Longest delay and interval of the embedded relay. */
const MAX_RELAY_MS = 3_600_000;

/** Announcing more rarely than hourly is no announcing; the default is the rhythm of the Go program. */
const ANNOUNCE_INTERVAL_S = { min: 1, max: 3_600 };
const DEFAULT_ANNOUNCE_INTERVAL_S = 10;

/** What listening beyond this machine means. */
const UNENCRYPTED =
  '--listen reaches beyond this machine: user and password cross the network unencrypted, so let it be a network that you trust';
const IDLE_EXITS = '--exit is for --clearnet exit alone: now no exit is used for the clear web';

export type { ClientLimits } from '../exit/clients/clients.js';
export type { ListenAddress } from './addresses.js';
export type { Credentials, IdentityConfig } from './identity.js';

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

export interface ProxyConfig extends BaseConfig, IdentityConfig, ReverseAddresses, DirectConfig {
  /** Anything but loopback only together with `auth`. */
  readonly listen: ListenAddress;
  readonly auth?: Credentials;
  readonly tls: 'terminate' | 'passthrough';
  readonly requirePin: boolean;
  /** Keep a connection to each exit that was used lately open in advance. */
  readonly preconnect: boolean;
  /** Whether reverse connections have to be inside TLS, which NIP-443 peers don't speak. */
  readonly reverseTls: 'required' | 'optional';
  readonly clearnet: 'direct' | 'exit' | 'deny';
  /** For clearnet by `exit`; empty: those that announce themselves. */
  readonly exits: readonly Address[];
}

export interface ExitConfig
  extends BaseConfig,
    IdentityConfig,
    AccessConfig,
    StatusConfig,
    DirectConfig {
  /** Undefined where the exit serves other hosts alone. */
  readonly target: Target | undefined;
  readonly hostHeader?: string;
  /** How an https target is recognised. */
  readonly targetTrust?: TargetTrustConfig;
  /** Announces itself, and serves the clear web within its policy. */
  readonly isPublic: boolean;
  readonly announceIntervalS: number;
}

/** The relay in memory, and how it misbehaves for tests. */
export interface RelayConfig extends BaseConfig {
  readonly listen: ListenAddress;
  readonly behaviour: Partial<RelayBehaviour>;
  /** Answers STUN on the UDP port of the same number. */
  readonly stun: boolean;
  /** Makes loss and duplicates repeatable. */
  readonly seed: number | undefined;
}

/** @throws NwsError `bad_config`, as every function here, naming the flag or variable. */
export function baseConfig(sources: Sources, defaultLevel: LogLevel = 'info'): BaseConfig {
  return Object.freeze(base(new Settings(sources), defaultLevel));
}

/** For `nws proxy`: what others use as well. */
export function proxyConfig(sources: Sources): ProxyConfig {
  const settings = new Settings(sources);
  const config = ownProxy(settings, 'info');
  const auth = credentials(settings);
  const listen = proxyListen(settings, auth !== undefined);
  const warnings = isLoopback(listen.host) ? config.warnings : [...config.warnings, UNENCRYPTED];
  const ways = { ...reverseAddresses(settings), ...direct(settings, 'entry') };
  const others = { ...ways, ...(auth && { auth }) };
  return Object.freeze({ ...config, ...others, listen, warnings });
}

/** For a proxy that a command starts for itself alone: on a free port, and nobody else is told of it. */
export function ownProxyConfig(sources: Sources): ProxyConfig {
  return Object.freeze(ownProxy(new Settings(sources), 'warn'));
}

function proxyListen(settings: Settings, hasAuth: boolean): ListenAddress {
  const given = settings.text({ flag: 'listen', variable: 'NWS_LISTEN' });
  const setting = given ?? { text: DEFAULT_LISTEN, origin: 'the default' };
  const listen = parseListen(setting);
  if (!hasAuth) demandLoopback(setting, listen, 'add --auth user:password, or ');
  return listen;
}

function ownProxy(settings: Settings, defaultLevel: LogLevel): ProxyConfig {
  const tls = settings.choice({ flag: 'tls', variable: 'NWS_TLS' }, ['terminate', 'passthrough']);
  const web = { flag: 'clearnet', variable: 'NWS_CLEARNET' };
  const clearnet = settings.choice(web, ['direct', 'exit', 'deny']) ?? 'direct';
  const chosen = exits(settings);
  const isIdle = chosen.length > 0 && clearnet !== 'exit';
  const reverseTls = { flag: 'reverse-tls', variable: 'NWS_REVERSE_TLS' };
  return {
    ...base(settings, defaultLevel),
    ...identity(settings),
    listen: { host: '127.0.0.1', port: 0 },
    tls: tls ?? 'terminate',
    requirePin: settings.toggle({ flag: 'require-pin', variable: 'NWS_REQUIRE_PIN' }),
    preconnect: settings.toggle({ flag: 'preconnect', variable: 'NWS_PRECONNECT' }, true),
    reverseTls: settings.choice(reverseTls, ['required', 'optional']) ?? 'required',
    clearnet,
    exits: chosen,
    warnings: [...secretWarnings(settings), ...(isIdle ? [IDLE_EXITS] : [])],
  };
}

export function exitConfig(sources: Sources): ExitConfig {
  const settings = new Settings(sources);
  const config = { ...base(settings, 'info'), ...identity(settings), ...access(settings) };
  const isPublic = settings.toggle({ flag: 'public', variable: 'PUBLIC' });
  const target = targetOf(settings);
  if (target === undefined && !isPublic && config.allow.length === 0) throw noTarget();
  if (config.relays.length === 0) {
    const hint = 'add --relay wss://…, or set NOSTR_RELAYS';
    throw new NwsError('no_relay', 'an exit needs a relay to be reached at', { hint });
  }
  const interval = { flag: 'announce-interval', variable: 'NWS_ANNOUNCE_INTERVAL' };
  const hostHeader = settings.text({ flag: 'host-header', variable: 'NWS_HOST_HEADER' })?.text;
  const trust = targetTrust(settings, target);
  const { warnings, ...status } = statusConfig(settings);
  return Object.freeze({
    ...config,
    target,
    ...(hostHeader && { hostHeader }),
    ...(trust && { targetTrust: trust }),
    ...direct(settings, 'exit'),
    isPublic,
    announceIntervalS:
      settings.number(interval, ANNOUNCE_INTERVAL_S) ?? DEFAULT_ANNOUNCE_INTERVAL_S,
    ...status,
    warnings: [...secretWarnings(settings), ...warnings],
  });
}

/** By flags alone: NWS_LISTEN is where the proxy listens. */
export function relayConfig(sources: Sources): RelayConfig {
  const settings = new Settings(sources);
  const setting = settings.flag('listen') ?? { text: DEFAULT_RELAY_LISTEN, origin: 'the default' };
  const listen = parseListen(setting);
  demandLoopback(setting, listen); // it believes whoever comes
  return Object.freeze({
    ...base(settings, 'info'),
    listen,
    behaviour: relayBehaviour(settings),
    stun: settings.toggle({ flag: 'stun' }),
    seed: settings.number({ flag: 'seed' }, { min: 0, max: 2 ** 32 - 1 }),
  });
}

function relayBehaviour(settings: Settings): Partial<RelayBehaviour> {
  const preset = settings.choice({ flag: 'behave' }, Object.keys(PRESETS) as PresetName[]);
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
    bytesPerSecond: settings.number({ flag: 'byte-rate' }, bytes),
    eventsPerSecond: settings.number({ flag: 'event-rate' }, { min: 0.01, max: 1e6, whole: false }),
    overRate: settings.choice({ flag: 'over-rate' }, ['late', 'refused']),
  };
  const given = Object.entries(asked).filter(([, value]) => value !== undefined);
  return { ...PRESETS[preset ?? 'plain'], ...Object.fromEntries(given) };
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
    warnings: [],
  };
}

function targetOf(settings: Settings): Target | undefined {
  const setting = settings.text({ flag: 'target', variable: 'BACKEND_HOST' });
  if (setting === undefined) return undefined;
  try {
    return parseTarget(setting.origin === '--target' ? setting.text : backendUrl(setting.text));
  } catch (error) {
    const { message, hint } = toNwsError(error);
    const reason = message.replace(/^--target /, '');
    throw badSetting(`${setting.origin} ${reason}`, hint ?? 'give a URL', error);
  }
}

function noTarget(): NwsError {
  const hint =
    'add --target http://127.0.0.1:3000, https://…, or tcp://127.0.0.1:22; or --public for the clear web';
  return badSetting('an exit needs --target', hint);
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
  const [, name = '', host] = /^([^=]*)=(.*)$/s.exec(setting.text) ?? [];
  if (host === undefined) {
    const hint = 'write it like shop.nostr=<name>.nostr';
    throw badSetting(`${setting.origin} is not an alias: ${setting.text}`, hint);
  }
  try {
    return [parseAlias(name), parseAliasTarget(host)];
  } catch (error) {
    throw named(setting, error);
  }
}
