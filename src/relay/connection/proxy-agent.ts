// The upstream proxy for reaching relays, from the environment: which URL goes through which agent.
// Opens nothing by itself; link.ts and nip11.ts hand the agents to ws and node:http.
import type { Agent } from 'node:http';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { ADDRESS_ATTEMPT_MS } from '../../limits.js';
import { type Environment, proxyForEnv } from './proxy-env.js';

export type AgentFor = (url: string) => Agent | undefined;

/** As proxyForEnv(), for relays and their documents. */
export function agentForEnv(env: Environment): AgentFor {
  const proxyFor = proxyForEnv(env);
  const agents = new Map<string, Agent>(); // at most three: ws, http, and the two secure ones
  return (text) => {
    const url = new URL(text);
    const isSecure = url.protocol === 'wss:' || url.protocol === 'https:';
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const proxy = proxyFor({ isSecure, host, port: Number(url.port) || (isSecure ? 443 : 80) });
    if (proxy === undefined) return undefined;
    // A WebSocket needs a tunnel (CONNECT) even where it is plain; only http: goes without one.
    const tunnel = url.protocol !== 'http:';
    const key = `${tunnel} ${proxy.href}`;
    const agent = agents.get(key) ?? newAgent(proxy, tunnel);
    agents.set(key, agent);
    return agent;
  };
}

function newAgent(proxy: URL, tunnel: boolean): Agent {
  const options = { autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS };
  return tunnel ? new HttpsProxyAgent(proxy, options) : new HttpProxyAgent(proxy, options);
}
