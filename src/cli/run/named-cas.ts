// The CAs that a user has named to the tools: in variables, and in the settings files of git, npm, pip, wget, cargo and
// AWS. The variables that `nws run` sets win over all of these, so what they name has to come along.

import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Io } from '../io.js';
import { type SettingLine, settingsIn } from './settings-file.js';

export interface NamedCa {
  /** What names it, for warnings. */
  readonly origin: string;
  /** The file or folder, absolute; or the certificates themselves. */
  readonly path?: string;
  readonly pem?: string;
}

export interface NamedCas {
  readonly node: readonly NamedCa[];
  /** By the .npmrc of the working folder: it may be a stranger's, so curl or git don't trust what it says. */
  readonly project: readonly NamedCa[];
  readonly others: readonly NamedCa[];
}

/**
 * Each names one file that replaces what is trusted: curl; OpenSSL and what asks it (Python, Ruby, Go, wget in part);
 * requests; pip; git; cargo; AWS.
 */
export const TRUST_VARIABLES: readonly string[] = [
  'CURL_CA_BUNDLE',
  'SSL_CERT_FILE',
  'REQUESTS_CA_BUNDLE',
  'PIP_CERT',
  'GIT_SSL_CAINFO',
  'CARGO_HTTP_CAINFO',
  'AWS_CA_BUNDLE',
];

type Reader = (io: Io, line: SettingLine, origin: string) => NamedCa | undefined;

/** Never throws: a settings file that can't be read says nothing. */
export async function namedCas(io: Io): Promise<NamedCas> {
  const { env } = io;
  const byVariable = (name: string): NamedCa[] => {
    const value = env[name];
    return value ? [{ origin: name, path: resolve(io.cwd, value) }] : [];
  };
  const npmVariables = Object.keys(env).filter((name) => /^npm_config_cafile$/i.test(name));
  const files = await Promise.all([
    ...gitFiles(io).map((path) => namedIn(io, path, fromGit)),
    ...npmFiles(io).map((path) => namedIn(io, path, fromNpm)),
    ...pipFiles(io).map((path) => namedIn(io, path, fromPip)),
    ...cargoFiles(io).map((path) => namedIn(io, path, fromCargo(path))),
    namedIn(io, io.env.AWS_CONFIG_FILE || join(io.userHome, '.aws', 'config'), fromAws),
    namedIn(io, wgetFile(io), fromWget),
  ]);
  return {
    node: byVariable('NODE_EXTRA_CA_CERTS'),
    project: await namedIn(io, join(io.cwd, '.npmrc'), fromNpm),
    others: [
      ...[...TRUST_VARIABLES, 'DENO_CERT', ...npmVariables].flatMap(byVariable),
      ...gitPairs(io),
      ...files.flat(),
    ],
  };
}

/** The user's start-up file of wget. */
export function wgetFile({ env, userHome }: Io): string {
  return env.WGETRC || join(userHome, '.wgetrc');
}

async function namedIn(io: Io, path: string, read: Reader): Promise<NamedCa[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return settingsIn(text).flatMap((line) => read(io, line, `${line.key} in ${path}`) ?? []);
}

const fromGit: Reader = (io, { section, key, value }, origin) =>
  section === 'http' && key === 'sslcainfo' && value !== '' ? named(io, value, origin) : undefined;

const fromNpm: Reader = (io, { section, key, value }, origin) => {
  if (section !== '' || value === '') return undefined;
  if (key === 'ca') return { origin, pem: value.replaceAll('\\n', '\n') };
  if (key !== 'cafile') return undefined;
  return named(
    io,
    value.replace(/\$\{(\w+)\}/g, (all, name: string) => io.env[name] ?? all),
    origin,
  );
};

const fromPip: Reader = (io, { key, value }, origin) =>
  key === 'cert' && value !== '' ? named(io, value, origin) : undefined;

const fromWget: Reader = (io, { key, value }, origin) =>
  key.replace(/[-_]/g, '') === 'cacertificate' && value !== ''
    ? named(io, value, origin)
    : undefined;

const fromAws: Reader = (io, { key, value }, origin) =>
  key === 'ca_bundle' && value !== '' ? named(io, value, origin) : undefined;

/** Paths in a cargo file are relative to the folder that its own folder is in. */
const fromCargo =
  (path: string): Reader =>
  (io, { section, key, value }, origin) => {
    const isOurs = section === '' ? key === 'http.cainfo' : section === 'http' && key === 'cainfo';
    const from = { ...io, cwd: dirname(dirname(path)) };
    return isOurs && value !== ''
      ? named(from, value.replace(/^'(.*)'$/, '$1'), origin)
      : undefined;
  };

function named(
  { cwd, userHome }: Pick<Io, 'cwd' | 'userHome'>,
  value: string,
  origin: string,
): NamedCa {
  const isBelowHome = /^~[/\\]/.test(value);
  return { origin, path: isBelowHome ? join(userHome, value.slice(2)) : resolve(cwd, value) };
}

function gitFiles({ env, userHome }: Io): string[] {
  const xdg = env.XDG_CONFIG_HOME || join(userHome, '.config');
  const own = [join(xdg, 'git', 'config'), join(userHome, '.gitconfig')];
  const global = env.GIT_CONFIG_GLOBAL === undefined ? own : [env.GIT_CONFIG_GLOBAL];
  return [env.GIT_CONFIG_SYSTEM ?? '/etc/gitconfig', ...global].filter((path) => path !== '');
}

/** git's settings by GIT_CONFIG_COUNT. */
function gitPairs(io: Io): NamedCa[] {
  const { env } = io;
  return Object.keys(env).flatMap((name) => {
    const [, at] = /^GIT_CONFIG_KEY_(\d+)$/.exec(name) ?? [];
    const value = env[`GIT_CONFIG_VALUE_${at}`];
    if (!value || !/^http\.(.*\.)?sslcainfo$/i.test(env[name] ?? '')) return [];
    return [named(io, value, `GIT_CONFIG_VALUE_${at}`)];
  });
}

function npmFiles({ env, userHome }: Io): string[] {
  const global = join(dirname(dirname(process.execPath)), 'etc', 'npmrc');
  return [
    env.npm_config_userconfig || env.NPM_CONFIG_USERCONFIG || join(userHome, '.npmrc'),
    env.npm_config_globalconfig || env.NPM_CONFIG_GLOBALCONFIG || global,
  ];
}

function pipFiles({ env, userHome, platform }: Io): string[] {
  const xdg = env.XDG_CONFIG_HOME || join(userHome, '.config');
  const mac = join('Library', 'Application Support', 'pip', 'pip.conf');
  return [
    '/etc/pip.conf',
    join(userHome, '.pip', 'pip.conf'),
    join(xdg, 'pip', 'pip.conf'),
    ...(platform === 'darwin' ? [join('/', mac), join(userHome, mac)] : []),
    ...(env.VIRTUAL_ENV ? [join(env.VIRTUAL_ENV, 'pip.conf')] : []),
    ...(env.PIP_CONFIG_FILE ? [env.PIP_CONFIG_FILE] : []),
  ];
}

function cargoFiles({ env, userHome }: Io): string[] {
  const folder = env.CARGO_HOME || join(userHome, '.cargo');
  return [join(folder, 'config.toml'), join(folder, 'config')];
}
