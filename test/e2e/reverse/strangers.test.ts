// Strangers at an entry's reverse listener, while it is in use: whatever they present or however many they are, they
// get nothing, and the streams of others don't notice.

import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import type { RunningExit } from '../../../src/index.js';
import { until } from '../../support/until.js';
import { bytesUntilClose } from '../../tunnel/reverse/support.js';
import { digest, generated } from '../support/bytes.js';
import { Site } from '../support/site.js';
import type { Transfer } from '../support/tools.js';
import { ReversePath } from './path.js';
import { ReverseWorld } from './world.js';

const MB = 1_000_000;
const DOWNLOAD_BYTES = 6 * MB;
/** More than may wait at once. */
const FLOOD = 400;

describe('strangers at the reverse listener', function () {
  this.timeout(60_000);
  let site: Site;
  let path: ReversePath;
  let world: ReverseWorld;
  /** An exit that connects back, and one that may not. */
  let near: RunningExit;
  let far: RunningExit;
  /** Downloads from both, which are half-way until `goOn` is called. */
  let downloads: Promise<Transfer>[];
  let goOn: () => void;
  const strangers = new Set<Socket>();

  before(async () => {
    site = await Site.start();
    path = await ReversePath.start();
    world = await ReverseWorld.start({ path });
    far = await world.meetExit(site.url, {});
    near = await world.meetExit(site.url);
  });
  after(async () => {
    for (const socket of strangers) socket.destroy();
    await world.close();
    await path.close();
    await site.close();
  });

  beforeEach(async () => {
    let halfway = 0;
    const allowed = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    site.on('request', async (_req, res) => {
      res.setHeader('Content-Length', DOWNLOAD_BYTES);
      let sent = 0;
      for await (const chunk of generated(DOWNLOAD_BYTES)) {
        if (sent < DOWNLOAD_BYTES / 2 && sent + chunk.length >= DOWNLOAD_BYTES / 2) {
          halfway += 1;
          await allowed;
        }
        sent += chunk.length;
        if (!res.write(chunk)) await once(res, 'drain');
      }
      res.end();
    });
    downloads = [near, far].map(({ domain }) =>
      world.world.transfer(`https://${domain}/held/download`),
    );
    await until(() => halfway === 2);
  });
  afterEach(async () => {
    goOn();
    const whole = { ...(await digest(generated(DOWNLOAD_BYTES))), status: 0, stderr: '' };
    expect(await Promise.all(downloads)).to.deep.equal([whole, whole]);
    site.removeAllListeners('request');
    await world.quiet();
    expect(world.ways(near).at(-1)).to.equal('reverse');
    expect(world.ways(far).at(-1)).to.equal('relay');
  });

  /** A connection of somebody who found the port. */
  function knock(): Socket {
    const socket = connect({ ...world.proxy.reverseAddress!, allowHalfOpen: true });
    strangers.add(socket);
    socket.on('error', () => undefined).once('close', () => strangers.delete(socket));
    return socket;
  }

  /** What somebody is sent who presents a key and whatever follows it, up to the end of the connection. */
  function present(key: string, more: string | Buffer = ''): Promise<Buffer> {
    const socket = knock();
    socket.write(key, 'latin1');
    socket.write(more);
    return bytesUntilClose(socket);
  }

  const get = (page: string) => world.world.curl(`https://${near.domain}${page}`);

  it('get nothing for a wrong key, nor for one that is used', async () => {
    const used = path.passages.at(-1)!;
    for (const key of [
      randomUUID(),
      used.key,
      '0'.repeat(36),
      'GET / HTTP/1.1\r\nHost: entry.example\r\n',
    ]) {
      expect(await present(key)).to.have.length(0);
    }
  });

  it('get nothing for the key of another, of which they do not know the secret, nor when it is late', async () => {
    path.hold();
    const expected = path.next();
    const asked = get('/in-time');
    const { key } = await expected;
    for (const more of ['GET / HTTP/1.1\r\n\r\n', randomBytes(500)]) {
      const answer = await present(key, more);
      // The byte that every key is answered with, and at most an alert of TLS.
      expect(answer[0]).to.equal(1);
      expect(answer.length).to.be.below(10);
    }
    path.release();
    expect((await asked).stdout).to.equal('GET /in-time\n');

    path.hold();
    const abandoned = path.next();
    const child = world.world.startCurl(`https://${near.domain}/never`);
    const late = await abandoned;
    child.kill();
    await until(() => late.exitSide.readableEnded);
    path.release();
    expect(await present(late.key)).to.have.length(0);
    expect(site.requests).to.not.include('GET /never');
  });

  it('do not keep others out by their number', async () => {
    const silent = Array.from({ length: FLOOD / 2 }, knock);
    const loud = Array.from({ length: FLOOD / 2 }, () => present(randomUUID(), randomBytes(100)));
    const answers = await Promise.all(['/one', '/two', '/three'].map(get));
    expect(answers.map(({ stdout }) => stdout)).to.deep.equal([
      'GET /one\n',
      'GET /two\n',
      'GET /three\n',
    ]);
    expect(Buffer.concat(await Promise.all(loud))).to.have.length(0);
    await until(() => world.proxy.streams === downloads.length);
    expect(world.ways(near).slice(-3)).to.deep.equal(['reverse', 'reverse', 'reverse']);
    expect(world.failures(near)).to.equal(0);
    for (const socket of silent) expect(socket.bytesRead).to.equal(0);
  });
});
