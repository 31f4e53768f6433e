// The library: entry and exit for other programs, and ways to `.nostr` names for Node's own clients.
// Defaults are filled in here; everything else is the rooms' own.

import { pino } from 'pino';
import { createSigner, generateSecretKey } from './crypto/signer.js';
import { type ExitOptions, type RunningExit, startExit } from './exit/exit.js';
import { parseTarget, type Target, type TargetTrust } from './exit/targets/target.js';
import { type ProxyOptions, type RunningProxy, startProxy } from './proxy/proxy.js';

export {
  createSigner,
  type Decrypted,
  generateSecretKey,
  parseSecretKey,
  type Scheme,
  type Signer,
} from './crypto/signer.js';
export { type ErrorCode, isErrorCode, NwsError, type NwsErrorOptions } from './errors.js';
export type { ClientLimits } from './exit/clients/clients.js';
export type { Access, ExitOptions, RunningExit } from './exit/exit.js';
export { parseRule, type Rule } from './exit/policy/rules.js';
export type { FetchHandler } from './exit/serving/fetch-server.js';
export type { Handler } from './exit/serving/in-process.js';
export type { Target, TargetTrust } from './exit/targets/target.js';
export type { Credentials } from './http/auth/auth.js';
export type { HostPort } from './http/host-port.js';
export {
  type Address,
  decodeHost,
  encodeName,
  encodeNprofile,
  encodeNpub,
  isNostrHost,
} from './protocol/names/address.js';
export { createAgent, createDispatcher, type EntryAddress } from './proxy/clients/clients.js';
export type { ProxyOptions, RunningProxy } from './proxy/proxy.js';
export type { Redirect, RelayBehaviour } from './relay/embedded/behaviour.js';
export {
  MemoryRelay,
  type MemoryRelayEvents,
  type MemoryRelayOptions,
  type MemoryRelayStats,
} from './relay/embedded/memory-relay.js';
export type { RelayEvent } from './relay/link-types.js';
export type { StreamFacts, Sums, Way } from './tunnel/accounts/accounts.js';
export type { DirectSettings } from './tunnel/direct/options.js';
export type { SocketAddress } from './tunnel/direct/socket.js';
export type {
  Events,
  NwsEvents,
  PinEvent,
  StreamEnded,
  StreamEvent,
  StreamOpened,
  StreamRefused,
} from './tunnel/events.js';

const LOOPBACK = { host: '127.0.0.1', port: 0 };

/**
 * Starts an entry: on a free loopback port, without a log, unless told otherwise.
 * @param options at least `home`, the folder for the local CA and the pins
 * @throws NwsError as startProxy() does: `address_in_use`, `bad_config`, `bad_name`
 */
export async function createProxy(
  options: Partial<ProxyOptions> & Pick<ProxyOptions, 'home'>,
): Promise<RunningProxy> {
  return startProxy({
    listen: LOOPBACK,
    relays: [],
    log: pino({ level: 'silent' }),
    tls: 'terminate',
    requirePin: false,
    preconnect: true,
    clearnet: 'direct',
    aliases: new Map(),
    ...options,
  });
}

/**
 * Starts an exit: with a key of its own for this session, and without a log, unless told otherwise.
 * @param options at least `home` and `relays`; `target` is a URL as for `nws exit --target`, and without one there is
 *   `serve()`, for what answers in this process
 * @throws NwsError `bad_config` for a target that can't be read, `relay_unreachable`
 */
export async function createExit(
  options: Partial<Omit<ExitOptions, 'target'>> &
    Pick<ExitOptions, 'home' | 'relays'> & {
      readonly target?: string;
      /** How an https target is recognised; default: this machine's CAs, and the target's own name. */
      readonly targetTrust?: TargetTrust;
    },
): Promise<RunningExit> {
  return startExit({
    signer: createSigner(generateSecretKey()),
    log: pino({ level: 'silent' }),
    ...options,
    target: options.target === undefined ? undefined : trusted(options),
  });
}

function trusted({
  target = '',
  targetTrust: trust,
}: {
  target?: string;
  targetTrust?: TargetTrust;
}): Target {
  return { ...parseTarget(target), ...(trust && { trust }) };
}
