// The environment in which curl, wget, git, pip, npm and Node use the proxy and trust its CA.
// Most variables replace what a tool trusts, so they get a bundle: what it trusted before, and the CA.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { rootCertificates } from 'node:tls';
import { badSetting } from '../../config/env.js';
import { PRIVATE_MODE, replaceFile } from '../../tls/files/files.js';
import type { Io } from '../io.js';

/** No ALL_PROXY: tools use it for protocols that the proxy doesn't speak. */
const PROXY_VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'];

/** curl; OpenSSL and what asks it (Python, Ruby, wget in part); requests; pip; git; npm. */
const TRUST_VARIABLES = [
  'CURL_CA_BUNDLE',
  'SSL_CERT_FILE',
  'REQUESTS_CA_BUNDLE',
  'PIP_CERT',
  'GIT_SSL_CAINFO',
  'npm_config_cafile',
];

/** Where systems keep their bundle: Debian and Alpine, Fedora, openSUSE, macOS and the BSDs. */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/**
 * The environment of a command behind the proxy; NO_PROXY stays as it is. Writes bundles beside the CA.
 * @throws NwsError `bad_config` for a variable that names a bundle which can't be read
 */
export async function clientEnv(
  io: Io,
  proxyUrl: string,
  caPath: string,
): Promise<Record<string, string | undefined>> {
  const ca = await readFile(caPath, 'utf8');
  const folder = dirname(caPath);
  const env: Record<string, string | undefined> = { ...io.env };
  for (const variable of PROXY_VARIABLES) env[variable] = proxyUrl;
  const common = join(folder, 'bundle.pem');
  replaceFile(common, joined(await systemRoots(), ca), PRIVATE_MODE);
  for (const variable of TRUST_VARIABLES) {
    env[variable] = (await extended(io, variable, folder, ca)) ?? common;
  }
  // Adds to what Node trusts, so the CA alone will do; and lets fetch() of newer versions use the proxy.
  env.NODE_EXTRA_CA_CERTS = (await extended(io, 'NODE_EXTRA_CA_CERTS', folder, ca)) ?? caPath;
  env.NODE_USE_ENV_PROXY = '1';
  env.WGETRC = await wgetrc(io, folder, caPath);
  return env;
}

/** The bundle that a variable names already, with the CA; undefined where it names none. */
async function extended(
  io: Io,
  variable: string,
  folder: string,
  ca: string,
): Promise<string | undefined> {
  const named = io.env[variable];
  if (!named) return undefined;
  const path = resolve(io.cwd, named);
  const own = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const hint = `unset ${variable} or correct it`;
    throw badSetting(`${variable} names a file that can't be read (${cause.code})`, hint, cause);
  });
  // Inside another `nws run` of the same home.
  if (own.includes(ca.trim())) return path;
  const name = createHash('sha256').update(path).digest('hex').slice(0, 12);
  const bundle = join(folder, `bundle-${name}.pem`);
  replaceFile(bundle, joined(own, ca), PRIVATE_MODE);
  return bundle;
}

async function systemRoots(): Promise<string> {
  for (const path of SYSTEM_BUNDLES) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (text.includes('BEGIN CERTIFICATE')) return text;
  }
  return rootCertificates.join('\n');
}

/** wget built with GnuTLS knows no variable for a CA: its start-up file, and a line more. */
async function wgetrc(io: Io, folder: string, caPath: string): Promise<string> {
  const path = join(folder, 'wgetrc');
  const own = io.env.WGETRC || join(io.userHome, '.wgetrc');
  if (resolve(own) === path) return path;
  const text = await readFile(own, 'utf8').catch(() => '');
  replaceFile(path, joined(text, `ca_certificate = ${caPath}\n`), PRIVATE_MODE);
  return path;
}

function joined(first: string, second: string): string {
  return first === '' ? second : `${first.trimEnd()}\n${second}`;
}
