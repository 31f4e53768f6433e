// HTTP_PROXY and its kin: which destination goes through which proxy. Pure.

import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { NwsError } from '../../errors.js';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Destination {
  /** Whether HTTPS_PROXY is asked, or HTTP_PROXY. */
  readonly isSecure: boolean;
  /** A name or an address; IPv6 without its brackets. */
  readonly host: string;
  readonly port: number;
}

/** The proxy for a destination, an http: or https: URL; undefined where it is reached directly. */
export type ProxyFor = (to: Destination) => URL | undefined;

/**
 * Reads HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY (lower case wins, as in curl). A loopback
 * address is always reached directly. The function it returns throws bad_config when the proxy
 * that a destination needs isn't an http:// or https:// one.
 */
export function proxyForEnv(env: Environment): ProxyFor {
  const read = (name: string): string => (env[name.toLowerCase()] || env[name]) ?? '';
  const plain = read('HTTP_PROXY') || read('ALL_PROXY');
  const secure = read('HTTPS_PROXY') || read('ALL_PROXY');
  const exempt = exemptions(read('NO_PROXY'));
  return (to) => {
    const proxy = to.isSecure ? secure : plain;
    return proxy === '' || isDirect(to, exempt) ? undefined : parseProxy(proxy);
  };
}

/** The entries of NO_PROXY, in lower case. */
export function exemptions(noProxy: string): string[] {
  return noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean);
}

function parseProxy(proxy: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  // The value may hold a password: it is not repeated here.
  throw new NwsError('bad_config', 'the upstream proxy is not an http:// or https:// URL', {
    hint: 'check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY, or name the host in NO_PROXY',
  });
}

function isDirect(to: Destination, exempt: readonly string[]): boolean {
  const host = to.host.toLowerCase().replace(/\.$/, '');
  return isLoopback(host) || exempt.some((rule) => matchesRule(rule, host, String(to.port)));
}

function isLoopback(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  return isIP(host) !== 0 && ipaddr.process(host).range() === 'loopback';
}

/** One entry of NO_PROXY: `*`, an address, a CIDR range, or a domain with all below it; each with an optional port. */
function matchesRule(rule: string, host: string, port: string): boolean {
  if (rule === '*') return true;
  if (ipaddr.isValidCIDR(rule)) return isInRange(host, rule);
  const [, name = rule, rulePort] = /^\[?(.*?)\]?:(\d+)$/.exec(isIP(rule) ? '' : rule) ?? [];
  if (rulePort !== undefined && rulePort !== port) return false;
  const domain = name.replace(/^\[|\]$/g, '').replace(/^\*?\./, '');
  return host === domain || host.endsWith(`.${domain}`);
}

function isInRange(host: string, cidr: string): boolean {
  if (isIP(host) === 0) return false;
  const address = ipaddr.process(host);
  const [network, bits] = ipaddr.parseCIDR(cidr);
  return address.kind() === network.kind() && address.match(network, bits);
}
