// The library: entry and exit for other programs, and an undici dispatcher that reaches `.nostr` names.
// Defaults are filled in here; everything else is the rooms' own.

import { readFile } from 'node:fs/promises';
import { rootCertificates } from 'node:tls';
import { pino } from 'pino';
import { type Dispatcher, ProxyAgent } from 'undici';
import { createSigner, generateSecretKey } from './crypto/signer.js';
import { type ExitOptions, type RunningExit, startExit } from './exit/exit.js';
import { parseTarget, type Target, type TargetTrust } from './exit/targets/target.js';
import { type ProxyOptions, type RunningProxy, startProxy } from './proxy/proxy.js';

export { createSigner, generateSecretKey, parseSecretKey, type Signer } from './crypto/signer.js';
export { type ErrorCode, isErrorCode, NwsError } from './errors.js';
export type { ExitOptions, RunningExit } from './exit/exit.js';
export { parseRule, type Rule } from './exit/policy/rules.js';
export type { Target, TargetTrust } from './exit/targets/target.js';
export {
  type Address,
  decodeHost,
  encodeName,
  encodeNprofile,
  encodeNpub,
  isNostrHost,
} from './protocol/names/address.js';
export type { ProxyOptions, RunningProxy } from './proxy/proxy.js';
export { MemoryRelay, type MemoryRelayOptions } from './relay/embedded/memory-relay.js';

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
 * @param options at least `home` and `relays`; `target` is a URL as for `nws exit --target`
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

/**
 * An undici dispatcher whose requests go through a running entry, for `fetch(url, { dispatcher })`. It
 * trusts the entry's CA for `.nostr` names besides Node's own roots. Close it before the entry.
 */
export async function createDispatcher(
  proxy: Pick<RunningProxy, 'url' | 'caPath'>,
): Promise<Dispatcher> {
  const ca = [...rootCertificates, await readFile(proxy.caPath, 'utf8')];
  return new ProxyAgent({ uri: proxy.url, requestTls: { ca } });
}
