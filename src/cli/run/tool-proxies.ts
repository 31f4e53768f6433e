// The variables that lead curl, wget, git, pip, npm, cargo and Node through a proxy, over what their settings files say. Pure.

import { exemptions } from '../../relay/connection/proxy-env.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** No ALL_PROXY: tools use it for protocols that the proxy doesn't speak. */
const PROXY_VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'];

/** What runs on this machine is reached as ever, unless the user has a list of their own. */
const LOCAL = 'localhost,127.0.0.1,::1';

/** An environment, led through the proxy. */
export function behindProxy(env: Environment, url: string): Record<string, string | undefined> {
  const result: Record<string, string | undefined> = { ...env };
  for (const name of PROXY_VARIABLES) result[name] = url;
  const noProxy = noProxyOf(env);
  if (noProxy === undefined) Object.assign(result, { NO_PROXY: LOCAL, no_proxy: LOCAL });
  // Lets fetch() use the proxy: of newer Nodes by itself, of others by node-options.ts.
  result.NODE_USE_ENV_PROXY = '1';
  // A `proxy` in pip.conf would win over HTTPS_PROXY.
  result.PIP_PROXY = url;
  // The same for a cargo config.
  result.CARGO_HTTP_PROXY = url;
  setForNpm(result, 'proxy', url);
  setForNpm(result, 'https_proxy', url);
  setForNpm(result, 'noproxy', valueForNpm(env, 'noproxy') ?? noProxy ?? LOCAL);
  setForGit(result, 'http.proxy', url);
  return result;
}

/** npm reads its variables in either case, with `_` or `-`, and believes the last: there must be one. */
export function setForNpm(
  env: Record<string, string | undefined>,
  key: string,
  value: string,
): void {
  for (const name of namesForNpm(env, key)) delete env[name];
  env[`npm_config_${key}`] = value;
}

/** The entries of the user's NO_PROXY by which tools would look for `.nostr` hosts themselves. */
export function nostrExemptions(env: Environment): string[] {
  const isNostr = (rule: string): boolean =>
    rule === '*' || /(^|\.)nostr$/.test(rule.replace(/:\d+$/, '').replace(/\.$/, ''));
  return exemptions(noProxyOf(env) ?? '').filter(isNostr);
}

/** The list that tools read; one that is empty counts as unset. */
function noProxyOf({ no_proxy: lower, NO_PROXY: upper }: Environment): string | undefined {
  return lower || upper || undefined;
}

function namesForNpm(env: Environment, key: string): string[] {
  const wanted = `npm_config_${key}`;
  return Object.keys(env).filter((name) => name.toLowerCase().replaceAll('-', '_') === wanted);
}

function valueForNpm(env: Environment, key: string): string | undefined {
  return namesForNpm(env, key)
    .map((name) => env[name])
    .findLast(Boolean);
}

/** Behind the settings that are in the environment already. git itself complains of a count that is none. */
function setForGit(env: Record<string, string | undefined>, key: string, value: string): void {
  const count = env.GIT_CONFIG_COUNT || '0';
  if (!/^\d{1,6}$/.test(count)) return;
  env[`GIT_CONFIG_KEY_${Number(count)}`] = key;
  env[`GIT_CONFIG_VALUE_${Number(count)}`] = value;
  env.GIT_CONFIG_COUNT = String(Number(count) + 1);
}
