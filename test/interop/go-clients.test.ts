// What our exit keeps to toward clients that know nothing of reliable streams.

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { expect } from 'chai';
import { createSigner, generateSecretKey } from '../../src/index.js';
import { listenTcp } from '../support/servers.js';
import { until } from '../support/until.js';
import { GoEntry } from './go/entry.js';
import { readGoMessage, writeGoMessage } from './go/message.js';
import { fetchPage } from './ground/carries.js';
import { Ground } from './ground/ground.js';
import { nameOf } from './ground/names.js';
import { type Letter, Party, type Scheme } from './ground/party.js';
import { readLetterMessage } from './letter/message.js';

describe('our exit and clients of NIP-443', function () {
  this.timeout(30_000);
  let ground: Ground;

  beforeEach(async () => {
    ground = await Ground.start({ relays: 2 });
  });
  afterEach(() => ground.close());

  it('serves them its own target and nothing else', async () => {
    let dialled = 0;
    const elsewhere = ground.later(await listenTcp(() => (dialled += 1)));
    const { domain } = await ground.startExit();
    const entry = ground.later(new GoEntry({ exit: domain }));
    const { pubkey } = createSigner(generateSecretKey());
    const others = [`127.0.0.1:${elsewhere.port}`, nameOf({ pubkey, relays: ground.urls })];
    for (const destination of others) {
      const stream = await entry.connect(destination);
      stream.write('GET /elsewhere HTTP/1.1\r\nHost: x\r\n\r\n');
    }
    expect(await fetchPage(() => entry.connect(), '/ours')).to.equal('GET /ours\n');
    expect(ground.site.requests).to.deep.equal(['GET /ours']);
    expect(dialled).to.equal(0);
  });

  it('lets them hear a server that speaks first', async () => {
    const { port } = ground.later(await listenTcp((socket) => socket.write('hello')));
    const { domain } = await ground.startExit({ target: `tcp://127.0.0.1:${port}` });
    const entry = ground.later(new GoEntry({ exit: domain, subscribesLate: false }));
    const stream = await entry.connect();
    expect(String((await once(stream, 'data'))[0])).to.equal('hello');
  });

  for (const scheme of ['nip04', 'nip44'] as Scheme[]) {
    it(`answers ${scheme} with the same, in messages that every peer of NIP-443 reads`, async () => {
      const { domain, pubkey } = await ground.startExit();
      const client = await Party.join(ground.urls);
      ground.later({ close: () => client.leave() });
      const letters: Letter[] = [];
      await client.listen((letter) => letters.push(letter));
      const key = randomUUID();
      const say = (type: string, data?: Buffer): Promise<void> =>
        client.send({
          to: pubkey,
          scheme,
          text: writeGoMessage({ key, type, data, destination: domain }),
        });
      await say('CONNECT');
      await say('DATA', Buffer.from('GET /said HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'));
      const answer = (): string =>
        letters.map(({ text }) => readGoMessage(text)?.data?.toString() ?? '').join('');
      await until(() => answer().includes('GET /said\n'));
      for (const { scheme: theirs, text } of letters) {
        expect(theirs).to.equal(scheme);
        expect(readGoMessage(text)).to.include({ key, type: 'SOCKS5RESPONSE' });
        expect(readLetterMessage(text)).to.include({ key, type: 'DATA' });
      }
    });
  }
});
