// The alias book: what it keeps, what it refuses, and that it notices changes and damage.

import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { pino } from 'pino';
import { createSigner } from '../../../src/crypto/signer.js';
import { encodeName, encodeNpub } from '../../../src/protocol/names/address.js';
import { AliasBook, MAX_ALIASES } from '../../../src/proxy/names/alias-book.js';
import { Aliases } from '../../../src/proxy/names/aliases.js';
import { HostResolver } from '../../../src/proxy/resolve.js';
import { expectError } from '../../support/expect-error.js';

const { pubkey } = createSigner(Buffer.from('11'.repeat(32), 'hex'));
const NAME = encodeName({ pubkey, relays: ['ws://127.0.0.1:7777'] });

describe('the alias book', () => {
  let home: string;
  let book: AliasBook;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'nws-test-'));
    book = new AliasBook(home);
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  it('keeps names in a file for its owner alone', async () => {
    expect([...book.entries()]).to.deep.equal([]);
    book.add('Shop', NAME.toUpperCase());
    book.add('my.shop.nostr.', encodeNpub(pubkey));
    const kept = [
      ['shop.nostr', NAME],
      ['my.shop.nostr', encodeNpub(pubkey)],
    ];
    expect([...book.entries()]).to.deep.equal(kept);
    expect([...new AliasBook(home).entries()]).to.deep.equal(kept);
    expect((await stat(book.path)).mode & 0o777).to.equal(0o600);
    expect(book.remove('shop')).to.equal(true);
    expect(book.remove('shop')).to.equal(false);
    expect([...book.entries()]).to.deep.equal(kept.slice(1));
  });

  it('notices what another process writes', () => {
    const other = new AliasBook(home);
    expect(book.entries().size).to.equal(0);
    other.add('shop', NAME);
    expect(book.entries().get('shop.nostr')).to.equal(NAME);
    other.remove('shop');
    expect(book.entries().size).to.equal(0);
  });

  const refused: readonly [what: string, alias: string, host: string, message: RegExp][] = [
    ['a name of the clear web', 'shop.example', NAME, /"shop\.example" can't be/],
    ['a name with a slash', 'sh/op', NAME, /can't be a short name/],
    ['no name', '', NAME, /can't be/],
    ['a name that is a key already', encodeNpub(pubkey), NAME, /holds a key/],
    ['the clear web behind it', 'shop', 'example.com', /not the name of an exit/],
    ['a broken name behind it', 'shop', 'foo.nostr', /"foo" is not a public key/],
    ['a secret key behind it', 'shop', `nsec1${'q'.repeat(58)}`, /"nsec…"/],
  ];
  for (const [what, alias, host, message] of refused) {
    it(`refuses ${what}`, async () => {
      expectError('bad_name', () => book.add(alias, host), message);
      expect(book.entries().size).to.equal(0);
    });
  }

  it('is bounded', async () => {
    const many = Array.from({ length: MAX_ALIASES }, (_, index) => [`n${index}.nostr`, NAME]);
    await writeFile(book.path, JSON.stringify(Object.fromEntries(many)), { mode: 0o600 });
    expect(book.entries().size).to.equal(MAX_ALIASES);
    expectError('bad_config', () => book.add('more', NAME), /holds 1024 names/);
    book.add('n0', encodeNpub(pubkey));
    expect(book.entries().get('n0.nostr')).to.equal(encodeNpub(pubkey));
  });

  const broken: readonly [what: string, text: string, message: RegExp][] = [
    ['no JSON', 'shop=x', /is not JSON/],
    ['a list', '[]', /no object/],
    ['a wrong entry', '{"shop.nostr": 7}', /wrong entry/],
  ];
  for (const [what, text, message] of broken) {
    it(`says what is wrong with a file that holds ${what}`, async () => {
      await writeFile(book.path, text, { mode: 0o600 });
      expectError('bad_config', () => book.entries(), message);
      expectError('bad_config', () => book.add('other', NAME), message);
      expect(await readFile(book.path, 'utf8')).to.equal(text);
    });
  }

  it('refuses a file that others can write', async function () {
    if (process.platform === 'win32') this.skip();
    book.add('shop', NAME);
    await chmod(book.path, 0o666);
    expectError('bad_config', () => book.entries(), /read or written by others/);
  });

  it('once read, still holds for a resolver when somebody breaks it, which it says once', async () => {
    book.add('shop', NAME);
    const lines: string[] = [];
    const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
    const aliases = new Aliases(new Map(), book, log);
    expect(aliases.get('shop.nostr')).to.equal(NAME);
    await writeFile(book.path, 'nonsense', { mode: 0o600 });
    expect(aliases.get('SHOP.nostr.')).to.equal(NAME);
    expect(aliases.get('shop.nostr')).to.equal(NAME);
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include('is not JSON');
  });

  it('gives way to the settings', () => {
    book.add('shop', NAME);
    const log = pino({ level: 'silent' });
    const aliases = new Aliases(new Map([['Shop.Nostr', 'npub']]), book, log);
    expect(aliases.get('shop.nostr')).to.equal('npub');
    aliases.replace(new Map());
    expect(aliases.get('shop.nostr')).to.equal(NAME);
  });

  it('is what a resolver goes by, and what it suggests for a name that fails', () => {
    const log = pino({ level: 'silent' });
    const events = { query: async () => [] };
    const resolver = new HostResolver({ relays: [], aliases: new Map(), book, events, log });
    book.add('shop', NAME);
    expect(resolver.decode('shop.nostr')).to.include({ destination: NAME, source: 'alias' });
    const error = expectError('bad_name', () => resolver.decode('shpo.nostr'), /"shpo"/);
    expect(error.hint).to.equal('did you mean shop.nostr?');
    const other = expectError('bad_name', () => resolver.decode('entirely-other.nostr'), /other/);
    expect(other.hint).to.not.include('shop');
  });
});
