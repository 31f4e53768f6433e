// Which trust stores are found on which machine, and by which commands they are changed.

import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { findStores } from '../../../src/cli/trust/change.js';
import { thisMachine } from '../../../src/cli/trust/machine.js';
import { shellLine, type TrustedCa } from '../../../src/cli/trust/store.js';
import { javaStores } from '../../../src/cli/trust/stores/java.js';
import { nssStores } from '../../../src/cli/trust/stores/nss.js';
import { openAuthority } from '../../../src/tls/authority/authority.js';
import { selfSigned } from '../../tls/support.js';
import { start, useTempFolder } from '../harness.js';
import { CA, fakeMachine } from './fake-machine.js';

const DEBIAN = ['/usr/bin/update-ca-certificates', '/usr/local/share/ca-certificates'];

async function linesOf(paths: readonly string[], overrides = {}): Promise<string[][]> {
  const stores = await findStores(CA, fakeMachine(paths, overrides));
  return stores.map(({ install, uninstall }) => [...install, ...uninstall].map(shellLine));
}

describe('trust stores', () => {
  it('of Debian, by root or by sudo', async () => {
    const file = '/usr/local/share/ca-certificates/nws-12345678.crt';
    const lines = [
      `install -m 644 /home/me/ca.pem ${file}`,
      '/usr/bin/update-ca-certificates',
      `rm -f ${file}`,
      '/usr/bin/update-ca-certificates --fresh',
    ];
    expect(await linesOf(DEBIAN, { isRoot: true })).to.deep.equal([lines]);
    expect(await linesOf(DEBIAN)).to.deep.equal([lines.map((line) => `sudo ${line}`)]);
  });

  it('of Fedora, Arch and openSUSE', async () => {
    const folders = [
      ['/etc/pki/ca-trust/source/anchors', 'update-ca-trust'],
      ['/etc/ca-certificates/trust-source/anchors', 'update-ca-trust'],
      ['/etc/pki/trust/anchors', 'update-ca-certificates'],
    ];
    for (const [folder, program] of folders) {
      const [lines] = await linesOf([folder!, `/usr/bin/${program}`]);
      expect(lines![0]).to.equal(`sudo install -m 644 /home/me/ca.pem ${folder}/nws-12345678.pem`);
      expect(lines![1]).to.equal(`sudo /usr/bin/${program}`);
    }
  });

  it('of Linux know the CA by what programs read', async () => {
    const read = async (path: string) =>
      path === '/etc/ssl/certs/ca-certificates.crt' ? `other\n${CA.pem.replace('\n', '\r\n')}` : '';
    const [store] = await findStores(CA, fakeMachine(DEBIAN, { read }));
    expect(await store!.isTrusting()).to.equal(true);
    const [without] = await findStores(CA, fakeMachine(DEBIAN));
    expect(await without!.isTrusting()).to.equal(false);
  });

  it('of macOS: the login keychain', async () => {
    const pem = selfSigned().certificate.toString();
    const machine = fakeMachine([], { platform: 'darwin' });
    const [store] = await findStores({ ...CA, pem }, machine);
    expect(store!.install.map(shellLine)).to.deep.equal([
      'security add-trusted-cert -r trustRoot -k /home/me/Library/Keychains/login.keychain-db /home/me/ca.pem',
    ]);
    expect(shellLine(store!.uninstall[1]!)).to.match(
      /^security delete-certificate -Z [0-9A-F]{40} /,
    );
  });

  it('of Chromium and of each profile of Firefox', async () => {
    const certutil = '/usr/bin/certutil';
    const profiles = ['a.default', 'b.dev'].map((name) => `/home/me/.mozilla/firefox/${name}`);
    const databases = ['/home/me/.pki/nssdb', ...profiles];
    const paths = [certutil, ...databases.map((folder) => `${folder}/cert9.db`)];
    const stores = await findStores(CA, fakeMachine([...paths, '/home/me/.mozilla/firefox/ini']));
    expect(stores.map(({ name }) => name)).to.deep.equal(databases);
    expect(stores[0]!.install.map(shellLine)).to.deep.equal([
      `${certutil} -A -d sql:/home/me/.pki/nssdb -t C,, -n '${CA.label}' -i /home/me/ca.pem`,
    ]);
  });

  it('of Chromium that was never started is made, and certutil named where it is missing', async () => {
    const [store] = await findStores(CA, fakeMachine(['/usr/bin/chromium']));
    expect(store!.missing).to.include('libnss3-tools');
    expect(store!.install).to.have.length(3);
  });

  it('of Java, unless it is the system’s', async () => {
    const keytool = '/opt/jdk/bin/keytool';
    const cacerts = '/opt/jdk/lib/security/cacerts';
    const [lines] = await linesOf([keytool, cacerts]);
    expect(lines![0]).to.equal(
      `sudo ${keytool} -importcert -noprompt -alias nws-12345678 -keystore ${cacerts} -storepass changeit -file /home/me/ca.pem`,
    );
    const fedora = async (path: string) =>
      path === cacerts ? '/etc/pki/ca-trust/extracted/java/cacerts' : path;
    expect(await linesOf([keytool, cacerts], { realPath: fedora })).to.deep.equal([]);
    const debian = async (path: string) =>
      path === cacerts ? '/etc/ssl/certs/java/cacerts' : path;
    const hook = '/etc/ca-certificates/update.d/jks-keystore';
    const [own] = await linesOf([keytool, cacerts, hook], { realPath: debian });
    expect(own).to.have.length(1);
    expect(own![0]).to.include('-delete -alias debian:nws-12345678.pem ');
  });
});

describe('trust stores, changed by their real tools', () => {
  const folder = useTempFolder();
  const machine = () => ({
    ...thisMachine(start(folder.path, ['--version']).io),
    userHome: folder.path,
  });
  let ca: TrustedCa;

  before(async () => {
    const { path, pem } = await openAuthority(join(folder.path, 'home'));
    ca = { ...CA, path, pem };
  });

  it('NSS, by certutil', async function () {
    const here = machine();
    const certutil = await here.find('certutil');
    if (certutil === undefined) return this.skip();
    const find = async (program: string) =>
      program === 'certutil' ? certutil : program === 'chromium' ? '/usr/bin/chromium' : undefined;
    const [store] = await nssStores(ca, { ...here, find, platform: 'linux' });
    expect(await store!.isTrusting()).to.equal(false);
    for (const command of store!.install) expect(await here.run(command)).to.equal(0);
    expect(await store!.isTrusting()).to.equal(true);
    const database = `sql:${folder.path}/.pki/nssdb`;
    expect(execFileSync(certutil, ['-L', '-d', database], { encoding: 'utf8' })).to.match(/ C,, /);
    // From now on it is one that is there.
    const [again] = await nssStores(ca, { ...here, find, platform: 'linux' });
    expect(again!.install).to.have.length(1);
    for (const command of again!.uninstall) expect(await here.run(command)).to.equal(0);
    expect(await again!.isTrusting()).to.equal(false);
  });

  it('Java, by keytool', async function () {
    this.timeout(60_000);
    const here = machine();
    const keytool = await here.find('keytool');
    if (keytool === undefined) return this.skip();
    const real = join(await here.realPath(keytool), '../../lib/security/cacerts');
    if (!(await here.exists(real))) return this.skip();
    await mkdir(join(folder.path, 'jdk/lib/security'), { recursive: true });
    const cacerts = join(folder.path, 'jdk/lib/security/cacerts');
    await copyFile(real, cacerts);
    const realPath = async (path: string) =>
      path === keytool ? join(folder.path, 'jdk/bin/keytool') : path;
    const [store] = await javaStores(ca, { ...here, realPath, isRoot: true });
    expect(await store!.isTrusting()).to.equal(false);
    for (const command of store!.install) expect(await here.run(command)).to.equal(0);
    expect(await store!.isTrusting()).to.equal(true);
    for (const command of store!.uninstall) expect(await here.run(command)).to.equal(0);
    expect(await store!.isTrusting()).to.equal(false);
    expect((await readFile(cacerts)).length).to.be.greaterThan(1_000);
  });
});
