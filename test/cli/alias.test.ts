// `nws alias`, and the commands that go by the book.

import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { encodeName, encodeNpub } from '../../src/protocol/names/address.js';
import { privatePem } from '../../src/tls/files/key-file.js';
import { listen } from '../support/servers.js';
import { newSigner, selfSigned } from '../tls/support.js';
import { jsonLines, run, spawnMain, useTempFolder } from './harness.js';

const { pubkey } = newSigner();
const RELAY = 'ws://relay.example:7777';
const NAME = encodeName({ pubkey, relays: [RELAY] });

describe('nws alias', () => {
  const folder = useTempFolder();
  const nws = (...argv: string[]) => run(folder.path, argv);
  const json = async (...argv: string[]) => jsonLines((await nws(...argv, '--json')).stdout)[0]!;

  it('adds, lists and removes', async () => {
    expect((await nws('alias')).stderr).to.match(/no aliases yet\nhint: nws alias add/);
    expect(await json('alias', 'add', 'shop', NAME)).to.deep.equal({
      name: 'shop.nostr',
      host: NAME,
      pubkey,
      npub: encodeNpub(pubkey),
    });
    const { stdout } = await nws('alias', 'add', 'key', encodeNpub(pubkey));
    expect(stdout).to.equal(`key.nostr is ${encodeNpub(pubkey)}\n`);
    expect((await nws('alias', 'list')).stdout).to.equal(
      `shop.nostr  ${NAME}\nkey.nostr   ${encodeNpub(pubkey)}\n`,
    );
    expect((await nws('alias', 'remove', 'key.nostr')).status).to.equal(0);
    expect(await json('alias', 'list')).to.deep.equal({
      aliases: [{ name: 'shop.nostr', host: NAME, source: 'book' }],
    });
    const book = await readFile(join(folder.path, 'home', 'aliases.json'), 'utf8');
    expect(JSON.parse(book)).to.deep.equal({ 'shop.nostr': NAME });
  });

  it('is what other commands go by, and a failing name is told the nearest', async () => {
    for (const host of ['shop', 'shop.nostr', 'https://SHOP.nostr/path']) {
      const found = await json('resolve', host);
      expect(found).to.deep.include({ pubkey, source: 'alias', relays: [RELAY] });
    }
    const { status, stderr } = await nws('resolve', 'shpo');
    expect(status).to.equal(2);
    expect(stderr).to.match(/^nws: .*"shpo".*\nhint: did you mean shop\.nostr\?\n$/);
    expect(await json('alias', 'add', 'store', 'shop.nostr')).to.include({ host: NAME });
  });

  const wrong: readonly [argv: string, message: RegExp][] = [
    ['alias add shop', /alias wants add NAME HOST/],
    ['alias frobnicate', /alias wants/],
    ['alias add shop foo.nostr', /"foo" is not a public key/],
    ['alias add a/b npub1', /can't be a short name|not a public key/],
    ['alias remove nobody', /there is no nobody\.nostr/],
  ];
  for (const [line, message] of wrong) {
    it(`refuses: nws ${line}`, async () => {
      const { status, stdout, stderr } = await nws(...line.split(' '));
      expect({ status, stdout }).to.deep.equal({ status: 2, stdout: '' });
      expect(stderr)
        .to.match(message)
        .and.match(/\nhint: /);
    });
  }

  it('takes name@domain, looked up at the site (NIP-05)', async () => {
    const pair = selfSigned(undefined, ['localhost']);
    const cert = pair.certificate.toString();
    const document = { names: { bob: pubkey }, relays: { [pubkey]: [RELAY] } };
    const site = await listen(
      createServer({ key: privatePem(pair), cert }, (_req, res) => {
        res.end(JSON.stringify(document));
      }),
    );
    try {
      const caFile = join(folder.path, 'site.pem');
      await writeFile(caFile, cert);
      const bob = `bob@localhost:${site.port}`;
      const env = { NODE_EXTRA_CA_CERTS: caFile };
      for (const argv of [
        ['alias', 'add', 'bob', bob, '--json'],
        ['resolve', bob, '--json'],
      ]) {
        const child = spawnMain(folder.path, argv, env);
        const [stdout, stderr] = await Promise.all([
          text(child.stdout!),
          text(child.stderr!),
          once(child, 'exit'),
        ]);
        expect(stderr).to.equal('');
        expect(JSON.parse(stdout)).to.include({ pubkey });
      }
      expect(await json('resolve', 'bob')).to.deep.include({ pubkey, relays: [RELAY] });
    } finally {
      await site.close();
    }
  });
});
