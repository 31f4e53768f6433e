// The upstream proxy out of a command's settings: for reaching relays, and for what `nws run` reaches of the clear web.

import type { ListenAddress } from '../config/config.js';
import { parseDotenv, type Sources } from '../config/env.js';
import { type AgentFor, agentForEnv } from '../relay/connection/proxy-agent.js';
import { type Environment, type ProxyFor, proxyForEnv } from '../relay/connection/proxy-env.js';

const VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [
  name,
  name.toLowerCase(),
]);

/**
 * The agents that HTTP_PROXY and its kin ask for.
 * @param listen where this very process will listen: a shell in which HTTPS_PROXY already points
 *   there must not send the proxy through itself
 */
export function upstreamOf(sources: Sources, listen?: ListenAddress): AgentFor {
  const all = { ...variablesOf(sources) };
  for (const name of VARIABLES) {
    if (listen !== undefined && isOwn(all[name] ?? '', listen)) delete all[name];
  }
  return agentForEnv(all);
}

/**
 * The proxies that the same variables name for the clear web. For `nws run` alone, which listens on a fresh port:
 * where users point HTTPS_PROXY at a lasting `nws proxy`, two of these could send each other in circles.
 */
export function clearnetUpstreamOf(sources: Sources): ProxyFor {
  return proxyForEnv(variablesOf(sources));
}

function variablesOf({ env, dotenv }: Sources): Environment {
  return { ...parseDotenv(dotenv ?? ''), ...env };
}

function isOwn(proxy: string, { host, port }: ListenAddress): boolean {
  const text = proxy.includes('://') ? proxy : `http://${proxy}`;
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return ['localhost', '127.0.0.1', host].includes(url.hostname) && url.port === String(port);
}
