// The environment in which curl, wget, git, pip, npm, cargo, Node and others use the proxy and trust its CA.

import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Io } from '../io.js';
import { sharedFile, writeBundles } from './bundles.js';
import { TRUST_VARIABLES, wgetFile } from './named-cas.js';
import { nodeOptions } from './node-options.js';
import { behindProxy, nostrExemptions, setForNpm } from './tool-proxies.js';

/**
 * The environment of a command behind the proxy. Writes bundles beside the CA.
 * @param warn is told what the user's own settings keep from working
 */
export async function clientEnv(
  io: Io,
  proxyUrl: string,
  caPath: string,
  warn: (text: string) => void,
): Promise<Record<string, string | undefined>> {
  const env = behindProxy(io.env, proxyUrl);
  const exempt = nostrExemptions(io.env);
  if (exempt.length > 0) {
    warn(`NO_PROXY has ${exempt.join(', ')}: tools will not find .nostr hosts by the proxy`);
  }
  const { all, npm, extra } = await writeBundles(io, caPath, warn);
  for (const variable of TRUST_VARIABLES) env[variable] = all;
  setForNpm(env, 'cafile', npm);
  env.NODE_EXTRA_CA_CERTS = extra;
  env.DENO_CERT = extra;
  env.NODE_OPTIONS = nodeOptions(io.env.NODE_OPTIONS);
  env.WGETRC = await wgetrc(io, dirname(caPath), extra);
  return env;
}

/**
 * wget built with GnuTLS knows no variable for a CA, and its start-up file wins over the others: it gets that file with
 * another CA, and without a proxy.
 */
async function wgetrc(io: Io, folder: string, ca: string): Promise<string> {
  const text = await readFile(wgetFile(io), 'utf8').catch(() => '');
  const isOurs = (line: string): boolean =>
    /^(httpproxy|httpsproxy|useproxy|cacertificate)=/i.test(line.replace(/[-_\s]/g, ''));
  const kept = text.split('\n').filter((line) => line !== '' && !isOurs(line));
  const content = [...kept, `ca_certificate = ${ca}`, ''].join('\n');
  return sharedFile(folder, (hash) => `wgetrc-${hash}`, content);
}
