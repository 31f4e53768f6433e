// The stand-ins among themselves, before our own sides meet them: they carry what they should, and have the quirks.

import { once } from 'node:events';
import { expect } from 'chai';
import type { RelayBehaviour } from '../../src/relay/embedded/behaviour.js';
import { strfryBehaviour } from '../../src/relay/embedded/presets.js';
import { Site } from '../e2e/support/site.js';
import { random } from '../support/random.js';
import { listenTcp } from '../support/servers.js';
import { startTestRelay, type TestRelay } from '../support/test-relay.js';
import { until } from '../support/until.js';
import { GoEntry } from './go/entry.js';
import { GO_BUFFER_BYTES, GoExit } from './go/exit.js';
import { Goroutines } from './go/goroutines.js';
import { GoListener } from './go/listener.js';
import { readGoMessage, writeGoMessage } from './go/message.js';
import {
  carriesDownload,
  carriesPage,
  carriesUpload,
  carriesWebSocket,
  type Dial,
} from './ground/carries.js';
import { nameOf, readName } from './ground/names.js';
import { type Letter, Party, type Scheme } from './ground/party.js';
import { LetterEntry } from './letter/entry.js';
import { LetterExit } from './letter/exit.js';
import { readLetterMessage, writeLetterMessage } from './letter/message.js';

const KEY = '3b1f09a8-2b10-4daa-880c-2a392e781f09';

describe('stand-ins: what they read and write', () => {
  it('spell names as PROTOCOL does', () => {
    const name =
      'etpjkbpf60n30bhg5oo3kdpn6srg.7rqkr7rul8t6vbtekq0b3k274i696g47eo1765t9add20llitt9g.nostr';
    const pubkey = '3ef54d9f7eaa3a6fafaea680b1d047248c93408776027317a9535a2056b2ef53';
    expect(readName(name)).to.deep.equal({ pubkey, relays: ['ws://0.0.0.0:7777'] });
    expect(nameOf(readName(name))).to.equal(name);
  });

  it('the Go reader takes the last of all spellings of a name, and strings alone', () => {
    const typeOf = (fields: string) => readGoMessage(`{"key":"${KEY}",${fields}}`)?.type;
    expect(typeOf('"type":"DATA","data":"aGk=","Type":"SOCKS5RESPONSE"')).to.equal(
      'SOCKS5RESPONSE',
    );
    expect(typeOf('"type":"A","TYPE":"B","type":"C","tYpE":null')).to.equal('C');
    expect(typeOf('"x":{"type":["Z",{}]},"type":"A\\"}","y":[1,-2.5e3,true,"type"]')).to.equal(
      'A"}',
    );
    expect(typeOf('"type":7')).to.equal(undefined);
    expect(typeOf('"data":"plain text"')).to.equal(undefined);
    for (const text of ['[]', `[{"key":"${KEY}"}]`, '7', '{', '{"key":"no-uuid"}']) {
      expect(readGoMessage(text), text).to.equal(undefined);
    }
    const to = { destination: 'x', entryPublicAddress: 'y:1' };
    const message = { key: KEY, type: 'CONNECTR', data: Buffer.from([0, 255]), ...to };
    expect(readGoMessage(writeGoMessage(message))).to.deep.equal(message);
  });

  it('the reader to the letter knows exact names and plain text', () => {
    const read = (fields: object) => readLetterMessage(JSON.stringify({ key: KEY, ...fields }));
    expect(
      read({ type: 'DATA', data: 'GET /hello HTTP/1.1', Type: 'X' })?.data?.toString(),
    ).to.equal('GET /hello HTTP/1.1');
    expect(read({ type: 'DATA', data: 'aGk=' })?.data?.toString()).to.equal('hi');
    expect(read({ type: 'SOCKS5RESPONSE', data: 'aGk=' })).to.equal(undefined);
    expect(read({ Type: 'DATA', data: 'aGk=' })).to.equal(undefined);
    expect(readLetterMessage('[]')).to.equal(undefined);
    const texts = ['GET / HTTP/1.1\r\n\r\n', 'aGk=', '\0\xff'].map((text) =>
      writeLetterMessage({ key: KEY, type: 'DATA', data: Buffer.from(text, 'latin1') }, true),
    );
    const written = texts.map((text) => (JSON.parse(text) as { data: string }).data);
    expect(written).to.deep.equal(['GET / HTTP/1.1\r\n\r\n', 'YUdrPQ==', 'AP8=']);
  });

  it('goroutines overtake each other within a burst, and never the next one', async () => {
    const order: number[] = [];
    const goroutines = new Goroutines<number>((item) => order.push(item), random(1).next);
    const first = Array.from({ length: 20 }, (_, index) => index);
    for (const item of first) goroutines.start(item);
    await until(() => order.length === 20);
    expect(order).to.not.deep.equal(first);
    expect([...order].sort((a, b) => a - b)).to.deep.equal(first);
    expect(goroutines.swaps).to.be.above(0);
    goroutines.start(20);
    await until(() => order.length === 21);
    expect(order.at(-1)).to.equal(20);
  });
});

describe('stand-ins among themselves', function () {
  this.timeout(30_000);
  let site: Site;
  let relays: TestRelay[];
  let closers: (() => unknown)[];

  beforeEach(async () => {
    site = await Site.start();
    relays = [];
    closers = [];
  });
  afterEach(async () => {
    for (const close of closers.reverse()) await close();
    for (const relay of relays) await relay.close();
    await site.close();
  });

  async function startRelays(count: number, behaviour?: Partial<RelayBehaviour>) {
    while (relays.length < count) relays.push(await startTestRelay({ behaviour }));
    return [...new Set(relays.map(({ url }) => url))];
  }

  const backend = (): number => Number(new URL(site.url).port);

  function later<T extends { close(): unknown }>(standIn: T): T {
    closers.push(() => standIn.close());
    return standIn;
  }

  async function carriesAll(dial: Dial): Promise<void> {
    await Promise.all([
      carriesPage(dial),
      carriesDownload(dial, 100_000),
      carriesUpload(dial, 50_000),
      carriesWebSocket(dial),
    ]);
  }

  const grounds = [
    ['one relay', 1, undefined],
    ['two relays', 2, undefined],
    ['a relay like strfry', 1, strfryBehaviour],
  ] as const;
  for (const [ground, count, behaviour] of grounds) {
    it(`the two of the Go program over ${ground}`, async () => {
      const urls = await startRelays(count, behaviour);
      const exit = later(await GoExit.start({ relays: urls, backend: backend() }));
      const entry = later(new GoEntry({ exit: exit.name }));
      await carriesAll(() => entry.connect());
      expect([...exit.refusals, ...entry.refusals]).to.deep.equal([]);
    });

    it(`the two of the Go program over ${ground}, and a connection of their own`, async () => {
      const urls = await startRelays(count, behaviour);
      const exit = later(await GoExit.start({ relays: urls, backend: backend() }));
      const publicAddress = later(await GoListener.start());
      const entry = later(new GoEntry({ exit: exit.name, publicAddress }));
      await carriesAll(() => entry.connect());
      expect(new Set(exit.openings)).to.deep.equal(new Set(['CONNECTR']));
    });

    it(`the two to the letter over ${ground}`, async () => {
      const urls = await startRelays(count, behaviour);
      for (const scheme of ['nip04', 'nip44'] as const) {
        const asText = scheme === 'nip04';
        const exit = later(await LetterExit.start({ relays: urls, backend: backend(), asText }));
        const options = { exit: exit.name, scheme, asInExample: asText };
        const entry = later(await LetterEntry.start(options));
        await carriesAll(() => entry.connect());
        expect([...exit.refusals, ...entry.refusals]).to.deep.equal([]);
      }
    });
  }

  describe('the Go exit', () => {
    let exit: GoExit;
    let client: Party;
    /** What arrived at the backend, by connection. */
    let arrived: Buffer[];
    let letters: Letter[];

    beforeEach(async () => {
      arrived = [];
      letters = [];
      const { port } = later(
        await listenTcp((socket) => {
          const index = arrived.push(Buffer.alloc(0)) - 1;
          socket.write(`hello ${index}`);
          socket.on('data', (data) => {
            arrived[index] = Buffer.concat([arrived[index]!, data]);
          });
        }),
      );
      const urls = await startRelays(2, { maxEventBytes: 100_000 });
      exit = later(await GoExit.start({ relays: urls, backend: port }));
      client = await Party.join(urls);
      closers.push(() => client.leave());
      await client.listen((letter) => letters.push(letter));
    });

    const say = (fields: object, scheme: Scheme = 'nip44'): Promise<void> =>
      client.send({
        to: exit.pubkey,
        scheme,
        text: JSON.stringify({ key: KEY, destination: exit.name, ...fields }),
      });

    it('takes each event once, however many relays bring it, and answers in its encryption', async () => {
      await say({ type: 'CONNECT' }, 'nip04');
      await say({ type: 'SOCKS5RESPONSE', data: 'aGk=' }, 'nip44');
      await until(() => arrived[0]?.toString() === 'hi' && letters.length > 0);
      expect(exit.dialled).to.equal(1);
      expect(letters.map(({ scheme }) => scheme)).to.deep.equal(['nip04']);
      expect(readGoMessage(letters[0]!.text)).to.deep.include({
        type: 'SOCKS5RESPONSE',
        data: Buffer.from('hello 0'),
      });
    });

    it('loses what does not fit its buffer, and what has another type', async () => {
      await say({ type: 'CONNECT' });
      const data = Buffer.alloc(GO_BUFFER_BYTES + 1, 1).toString('base64');
      await say({ type: 'DATA', data: 'aGk=' });
      await say({ type: 'SOCKS5RESPONSE', data });
      await say({ type: 'DATA', data: 'aGk=', Type: 'SOCKS5RESPONSE' });
      await until(() => arrived[0]?.toString('latin1').endsWith('hi') ?? false);
      expect(arrived[0]).to.have.length(GO_BUFFER_BYTES + 2);
    });

    it('drops what has no destination with a dot in it, data as well', async () => {
      for (const destination of [undefined, '', 'nostr'])
        await say({ type: 'CONNECT', destination });
      await say({ type: 'CONNECT', destination: 'any.thing' });
      for (const destination of [undefined, '', 'nostr']) {
        await say({ type: 'SOCKS5RESPONSE', data: 'aGk=', destination });
      }
      await say({ type: 'SOCKS5RESPONSE', data: 'aG8=', destination: 'other.wise' });
      await until(() => (arrived[0]?.length ?? 0) > 0);
      expect(arrived.map(String)).to.deep.equal(['ho']);
    });

    it('connects to an entry that asks for it, shows it the key, and hands on what comes', async () => {
      const listener = later(await GoListener.start());
      const accepted = listener.accept(KEY);
      await say({ type: 'CONNECTR', entryPublicAddress: listener.address });
      const stream = await accepted;
      expect(String((await once(stream, 'data'))[0])).to.equal('hello 0');
      stream.write('hi');
      await until(() => arrived[0]?.toString() === 'hi');
      expect(letters).to.deep.equal([]);
    });

    it('opens a second connection for a repeated CONNECT, which gets all that follows', async () => {
      await say({ type: 'CONNECT' });
      await until(() => arrived.length === 1);
      await say({ type: 'CONNECT' });
      await say({ type: 'SOCKS5RESPONSE', data: 'aGk=' });
      await until(() => arrived[1]?.toString() === 'hi');
      expect(arrived[0]).to.have.length(0);
    });
  });
});
