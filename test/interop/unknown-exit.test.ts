// An exit of which our entry doesn't know what it speaks, or that speaks something else than the last time: clients
// may have to wait a moment, and never notice more than that.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect } from 'chai';
import { createSigner, generateSecretKey, parseRule } from '../../src/index.js';
import { ReversePath } from '../e2e/reverse/path.js';
import { listenTcp } from '../support/servers.js';
import { until } from '../support/until.js';
import { entrySide } from '../tunnel/tunnel.js';
import { GoExit } from './go/exit.js';
import { bornExpired } from './ground/born-expired.js';
import { fetchPage } from './ground/carries.js';
import { Ground } from './ground/ground.js';
import { nowS } from './ground/party.js';

describe('an exit of unknown kind', function () {
  this.timeout(60_000);
  const certificate = bornExpired('exit.nostr');
  let ground: Ground;

  beforeEach(async () => {
    ground = await Ground.start();
  });
  afterEach(() => ground.close());

  it('gets every byte that the client wrote while nothing was known', async () => {
    const { port } = ground.later(await listenTcp((socket) => socket.pipe(socket)));
    const exit = ground.later(await GoExit.start({ relays: ground.urls, backend: port }));
    const stream = await ground.dial(exit.name);
    const sent = Buffer.alloc(150_000, 'first words, and many that follow. ');
    stream.write(sent.subarray(0, 12));
    await until(() => exit.dialled > 0);
    stream.write(sent.subarray(12));
    const got: Buffer[] = [];
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      got.push(chunk);
      if (Buffer.concat(got).length >= sent.length) break;
    }
    expect(Buffer.concat(got).equals(sent)).to.equal(true);
    expect(exit.dialled).to.equal(1);
  });

  it('lets whoever writes know when everything has been sent', async function () {
    this.timeout(10_000); // sooner than the silence after which the stream is given up
    let heard = '';
    const greet = (socket: Socket): void => {
      socket.on('data', (data) => (heard += data)).write('hello');
    };
    const { port } = ground.later(await listenTcp(greet));
    const exit = ground.later(await GoExit.start({ relays: ground.urls, backend: port }));
    const { session } = ground.later(entrySide());
    const { pubkey: peer, name: destination } = exit;
    const { stream } = await session.open({ peer, relays: ground.urls, destination });
    expect(String((await once(stream, 'data'))[0])).to.equal('hello');
    stream.write('all there is');
    await until(() => heard === 'all there is');
    stream.end();
    await once(stream, 'finish');
    stream.destroy();
    await until(() => session.streams === 0);
  });

  for (const publishes of [true, false]) {
    const how = publishes ? 'as its certificate tells' : 'without a word';
    it(`may change from the Go program to ours and back, ${how}`, async () => {
      const secretKey = generateSecretKey();
      const { urls: relays, backend } = ground;
      const startGo = async (publishedAt: number): Promise<GoExit> => {
        const published = publishes && { publish: certificate, publishedAt };
        return ground.later(await GoExit.start({ relays, backend, secretKey, ...published }));
      };
      const ask = (path: string) => fetchPage(() => ground.dial(goExit.name), path);

      let goExit = await startGo(nowS() - 10);
      expect(await ask('/go')).to.equal('GET /go\n');
      expect(await ask('/go-again')).to.equal('GET /go-again\n');
      await goExit.close();

      const target = publishes ? ground.site.url : ground.site.url.replace('http:', 'tcp:');
      const ours = await ground.startExit({ signer: createSigner(secretKey), target });
      expect(await ask('/ours')).to.equal('GET /ours\n');
      expect(await ask('/ours-again')).to.equal('GET /ours-again\n');
      await ours.close(0);

      goExit = await startGo(nowS() + 1);
      expect(await ask('/back')).to.equal('GET /back\n');
      expect(await ask('/back-again')).to.equal('GET /back-again\n');
      expect(ground.site.requests.map((request) => request.split('/')[1])).to.deep.equal([
        'go',
        'go-again',
        'ours',
        'ours-again',
        'back',
        'back-again',
      ]);
    });
  }

  it('may change from ours to the Go program where streams take connections of their own', async () => {
    const path = await ReversePath.start();
    const reverseListen = { host: '127.0.0.1', port: 0 };
    await ground.close();
    ground = await Ground.start({ proxy: { publicAddress: path.address, reverseListen } });
    path.leadTo(ground.world.proxy.reverseAddress!);
    const secretKey = generateSecretKey();
    const { urls: relays, backend } = ground;
    const allow = [parseRule('127.0.0.1')];
    const ours = await ground.startExit({ signer: createSigner(secretKey), allow });
    const ask = (page: string) => fetchPage(() => ground.dial(ours.domain), page);
    for (const page of ['/ours', '/ours-again']) expect(await ask(page)).to.equal(`GET ${page}\n`);
    await until(() => path.passages.length === 2);
    await ours.close(0);
    ground.later(await GoExit.start({ relays, backend, secretKey }));
    expect(await ask('/go')).to.equal('GET /go\n');
    await path.close();
  });
});
