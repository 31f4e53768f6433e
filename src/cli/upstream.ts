// The upstream proxy for reaching relays, out of a command's settings.

import type { ListenAddress } from '../config/config.js';
import { parseDotenv, type Sources } from '../config/env.js';
import { type AgentFor, agentForEnv } from '../relay/connection/proxy-agent.js';

const VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [
  name,
  name.toLowerCase(),
]);

/**
 * The agents that HTTP_PROXY and its kin ask for.
 * @param listen where this very process will listen: a shell in which HTTPS_PROXY already points
 *   there must not send the proxy through itself
 */
export function upstreamOf({ env, dotenv }: Sources, listen?: ListenAddress): AgentFor {
  const all: Record<string, string | undefined> = { ...parseDotenv(dotenv ?? ''), ...env };
  for (const name of VARIABLES) {
    if (listen !== undefined && isOwn(all[name] ?? '', listen)) delete all[name];
  }
  return agentForEnv(all);
}

function isOwn(proxy: string, { host, port }: ListenAddress): boolean {
  const text = proxy.includes('://') ? proxy : `http://${proxy}`;
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return ['localhost', '127.0.0.1', host].includes(url.hostname) && url.port === String(port);
}
