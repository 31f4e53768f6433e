// The upstream proxy for reaching relays, from the environment: which URL goes through which agent.
// Opens nothing by itself; link.ts and nip11.ts hand the agents to ws and node:http.
import type { Agent } from 'node:http';
import { isIP } from 'node:net';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import ipaddr from 'ipaddr.js';
import { NwsError } from '../../errors.js';

/** How long one of several addresses of the proxy may take: Node's 250 ms are too short for slow paths. */
const ATTEMPT_MS = 2_500;

export type Environment = Readonly<Record<string, string | undefined>>;
export type AgentFor = (url: string) => Agent | undefined;

/**
 * Reads HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY (lower case wins, as in curl). A loopback
 * address is always reached directly. The function it returns throws bad_config when the proxy
 * that a URL needs isn't an http:// or https:// one.
 */
export function agentForEnv(env: Environment): AgentFor {
  const read = (name: string): string => (env[name.toLowerCase()] || env[name]) ?? '';
  const plain = read('HTTP_PROXY') || read('ALL_PROXY');
  const secure = read('HTTPS_PROXY') || read('ALL_PROXY');
  const exempt = read('NO_PROXY')
    .split(/[\s,]+/)
    .filter(Boolean);
  const agents = new Map<string, Agent>(); // at most three: ws, http, and the two secure ones
  return (text) => {
    const url = new URL(text);
    const proxy = url.protocol === 'ws:' || url.protocol === 'http:' ? plain : secure;
    if (proxy === '' || isDirect(url, exempt)) return undefined;
    // A WebSocket needs a tunnel (CONNECT) even where it is plain; only http: goes without one.
    const tunnel = url.protocol !== 'http:';
    const key = `${tunnel} ${proxy}`;
    const agent = agents.get(key) ?? newAgent(proxy, tunnel);
    agents.set(key, agent);
    return agent;
  };
}

function newAgent(proxy: string, tunnel: boolean): Agent {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    // The value may hold a password: it is not repeated here.
    throw new NwsError('bad_config', 'the upstream proxy is not an http:// or https:// URL', {
      hint: 'check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY, or name the relay in NO_PROXY',
    });
  }
  const options = { autoSelectFamilyAttemptTimeout: ATTEMPT_MS };
  return tunnel ? new HttpsProxyAgent(url, options) : new HttpProxyAgent(url, options);
}

function isDirect(url: URL, exempt: readonly string[]): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const secure = url.protocol === 'wss:' || url.protocol === 'https:';
  const port = url.port || (secure ? '443' : '80');
  return isLoopback(host) || exempt.some((rule) => matchesRule(rule.toLowerCase(), host, port));
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
