// The environment of the command of `nws run`: whose CAs are trusted, by what they were named.

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { Io } from '../../../src/cli/io.js';
import { certificatesIn, toPem } from '../../../src/cli/run/certificates.js';
import { clientEnv } from '../../../src/cli/run/client-env.js';

const CA = 'T1VSQ0E=';
const URL = 'http://127.0.0.1:4000';
const ALL = [
  'CURL_CA_BUNDLE',
  'SSL_CERT_FILE',
  'REQUESTS_CA_BUNDLE',
  'PIP_CERT',
  'GIT_SSL_CAINFO',
  'CARGO_HTTP_CAINFO',
  'AWS_CA_BUNDLE',
];

describe('nws run: what its command trusts', () => {
  let folder: string;
  let warnings: string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nws-env-'));
    warnings = [];
    await write('certs/ca.pem', CA);
  });
  afterEach(() => rm(folder, { recursive: true }));

  const at = (name: string): string => join(folder, name);

  async function text(name: string, content: string): Promise<string> {
    await mkdir(dirname(at(name)), { recursive: true });
    await writeFile(at(name), content);
    return at(name);
  }

  const write = (name: string, base64: string): Promise<string> =>
    text(name, toPem(new Set([base64])));

  /** What the command gets. `folder` is the user's home; the working folder is `work` in it. */
  function environment(env: Record<string, string> = {}) {
    const about = { cwd: at('work'), userHome: folder, platform: 'linux' };
    const io = { env: { GIT_CONFIG_SYSTEM: '', ...env }, ...about } as unknown as Io;
    return clientEnv(io, URL, at('certs/ca.pem'), (warning) => warnings.push(warning));
  }

  const trusted = async (path: string | undefined): Promise<string[]> => [
    ...certificatesIn(await readFile(path!, 'utf8')),
  ];

  it('is one bundle of all that was named, each certificate once', async () => {
    const corp = await write('corp.pem', 'Q09SUA==');
    const other = await write('other.pem', 'T1RIRVI=');
    const env = await environment({
      CURL_CA_BUNDLE: corp,
      SSL_CERT_FILE: '../corp.pem',
      REQUESTS_CA_BUNDLE: other,
      NPM_CONFIG_CAFILE: other,
    });
    const all = await trusted(env.SSL_CERT_FILE);
    expect(all).to.include.members(['Q09SUA==', 'T1RIRVI=', CA]);
    expect(all).to.have.length.greaterThan(20);
    expect(new Set(all)).to.have.lengthOf(all.length);
    for (const name of ALL) expect(env[name]).to.equal(env.SSL_CERT_FILE);
    expect(env.npm_config_cafile).to.equal(env.SSL_CERT_FILE);
    expect(env).to.not.have.property('NPM_CONFIG_CAFILE');
    // Node and Deno have roots of their own.
    expect(env.DENO_CERT).to.equal(env.NODE_EXTRA_CA_CERTS);
    expect(await trusted(env.NODE_EXTRA_CA_CERTS)).to.deep.equal(['Q09SUA==', 'T1RIRVI=', CA]);
    expect(await trusted(corp)).to.deep.equal(['Q09SUA==']);
    expect(warnings).to.deep.equal([]);
  });

  it('has what the settings of git, npm, pip, wget, cargo and AWS name', async () => {
    const named = [
      'R0lU',
      'WERH',
      'TlBN',
      'UElQ',
      'V0dFVA==',
      'Q09VTlQ=',
      'SU5MSU5F',
      'Q1JH',
      'QVdT',
    ];
    const [git, xdg, npm, pip, wget, count, inline, cargo, aws] = named;
    await write('git.pem', git!);
    await text('.gitconfig', '[http "https://git.example"]\n\tsslCAInfo = ~/git.pem\n');
    await text('.config/git/config', `[http]\nsslcainfo = "${await write('xdg.pem', xdg!)}"\n`);
    await write('npm.pem', npm!);
    await write('cargo.pem', cargo!);
    await text('.cargo/config.toml', "[http]\ncainfo = 'cargo.pem' # beside the folder\n");
    await text('.aws/config', `[profile x]\nca_bundle = ${await write('aws.pem', aws!)}\n`);
    const block = toPem(new Set([inline!]))
      .trim()
      .replaceAll('\n', '\\n');
    await text('.npmrc', `cafile=\${HOME}/npm.pem\nca="${block}"\n`);
    await text('.config/pip/pip.conf', `[global]\ncert = ${await write('pip.pem', pip!)}\n`);
    await text('.wgetrc', `ca-certificate = ${await write('wget.pem', wget!)}\n`);
    const env = await environment({
      HOME: folder,
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'http.https://x.example.sslCAInfo',
      GIT_CONFIG_VALUE_0: await write('count.pem', count!),
    });
    expect(warnings).to.deep.equal([]);
    expect(await trusted(env.SSL_CERT_FILE)).to.include.members(named);
    expect(await trusted(env.NODE_EXTRA_CA_CERTS)).to.have.members([...named, CA]);
    expect(env.npm_config_cafile).to.equal(env.SSL_CERT_FILE);
  });

  it('believes the .npmrc of the working folder for npm alone', async () => {
    await text('work/.npmrc', `cafile=${await write('project.pem', 'UFJPSkVDVA==')}\n`);
    const env = await environment();
    expect(await trusted(env.npm_config_cafile)).to.include.members(['UFJPSkVDVA==', CA]);
    expect(await trusted(env.SSL_CERT_FILE)).to.not.include('UFJPSkVDVA==');
    expect(env.NODE_EXTRA_CA_CERTS).to.equal(at('certs/ca.pem'));
  });

  it('takes a folder of certificates', async () => {
    await write('many/one.pem', 'T05F');
    await write('many/two.pem', 'VFdP');
    const env = await environment({ REQUESTS_CA_BUNDLE: at('many') });
    expect(await trusted(env.REQUESTS_CA_BUNDLE)).to.include.members(['T05F', 'VFdP']);
  });

  it('warns of what can’t be read, once, and goes on', async () => {
    await text('empty.pem', 'not a certificate\n');
    const env = await environment({
      SSL_CERT_FILE: '/nowhere.pem',
      CURL_CA_BUNDLE: '/nowhere.pem',
      PIP_CERT: at('empty.pem'),
    });
    expect(await trusted(env.SSL_CERT_FILE)).to.include(CA);
    expect(warnings).to.have.length(2);
    expect(warnings.join()).to.match(/CURL_CA_BUNDLE: \/nowhere\.pem can't be read \(ENOENT\)/);
    expect(warnings.join()).to.match(/PIP_CERT: there is no certificate in /);
  });

  it('is the same inside of another nws run, and leaves the files of others alone', async () => {
    const corp = await write('corp.pem', 'Q09SUA==');
    const plain = await environment();
    const before = await readFile(plain.SSL_CERT_FILE!, 'utf8');
    const outer = await environment({ SSL_CERT_FILE: corp });
    const inner = await environment(outer as Record<string, string>);
    for (const name of [
      ...ALL,
      'npm_config_cafile',
      'NODE_EXTRA_CA_CERTS',
      'DENO_CERT',
      'NODE_OPTIONS',
      'WGETRC',
    ]) {
      expect(inner[name], name).to.equal(outer[name]);
    }
    expect(outer.SSL_CERT_FILE).to.not.equal(plain.SSL_CERT_FILE);
    expect(await readFile(plain.SSL_CERT_FILE!, 'utf8')).to.equal(before);
  });

  it('keeps what the user’s own wgetrc says, but for proxies', async () => {
    await text('.wgetrc', 'tries = 3\nhttps_proxy = http://x\nuse-proxy = off\n');
    const { WGETRC } = await environment();
    expect(await readFile(WGETRC!, 'utf8')).to.equal(
      `tries = 3\nca_certificate = ${at('certs/ca.pem')}\n`,
    );
  });
});
