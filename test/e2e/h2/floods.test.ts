// What an HTTP/2 client can do to hurt: each ends its own connection, or costs nothing; others are served meanwhile.

import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { ACK, END_HEADERS, frame, HEAD, PREFACE, TYPE } from '../../support/http2-frames.js';
import { Site } from '../support/site.js';
import { World } from '../support/world.js';
import { get, http2To, secureTo } from './client.js';

/** Resolves when the exit has ended its side, or the whole connection. */
function over(socket: TLSSocket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readableEnded || socket.destroyed) resolve();
    socket.once('end', resolve).once('close', resolve);
  });
}

function drained(socket: TLSSocket): Promise<void> {
  return new Promise((resolve) => socket.once('drain', resolve));
}

describe('floods of HTTP/2 frames at an exit', () => {
  let site: Site;
  let world: World;

  before(async () => {
    site = await Site.start();
    site.on('request', () => undefined); // /held/ is never answered
    world = await World.start({ target: site.url });
  });
  after(async () => {
    await world.close();
    await site.close();
  });

  async function attacker(): Promise<TLSSocket> {
    const socket = await secureTo(world);
    socket.setMaxListeners(0).write(Buffer.concat([PREFACE, frame(TYPE.settings, 0, 0)]));
    await once(socket, 'data'); // the exit's SETTINGS: acknowledged before them, they end the connection
    socket.write(frame(TYPE.settings, ACK, 0));
    return socket;
  }

  /** Writes until the exit ends the connection, at most `count` times. */
  async function flood(socket: TLSSocket, count: number, make: (n: number) => Buffer) {
    for (let n = 0; n < count && !socket.destroyed && !socket.readableEnded; n += 100) {
      const frames = Array.from({ length: 100 }, (_, at) => make(n + at));
      if (!socket.write(Buffer.concat(frames))) {
        await Promise.race([drained(socket), over(socket)]);
      }
    }
  }

  async function servesOthers(): Promise<void> {
    const session = await http2To(world);
    expect((await get(session, '/others')).head[':status']).to.equal(200);
    session.destroy();
  }

  const ENDING: [string, number, (n: number) => Buffer][] = [
    [
      'requests that are reset at once (CVE-2023-44487)',
      20_000,
      (n) =>
        Buffer.concat([
          frame(TYPE.headers, END_HEADERS, 2 * n + 1, HEAD),
          frame(TYPE.reset, 0, 2 * n + 1, Buffer.from([0, 0, 0, 8])),
        ]),
    ],
    [
      'a head that never ends',
      20_000,
      (n) =>
        n === 0
          ? frame(TYPE.headers, 0, 1, HEAD)
          : frame(TYPE.continuation, 0, 1, Buffer.from([0, 1, 0x61, 1, 0x62])),
    ],
    [
      'empty DATA frames',
      50_000,
      (n) => (n === 0 ? frame(TYPE.headers, END_HEADERS, 1, HEAD) : frame(TYPE.data, 0, 1)),
    ],
  ];

  for (const [what, count, make] of ENDING) {
    it(`ends the connection over ${what}, and no other`, async () => {
      const socket = await attacker();
      const ended = over(socket);
      await servesOthers(); // and this connection is well so far
      expect(socket.readableEnded || socket.destroyed).to.equal(false);
      await flood(socket, count, make);
      await ended;
      socket.destroy();
      await servesOthers();
    });
  }

  it('answers PING and SETTINGS as they come, at the cost of their sender', async () => {
    const socket = await attacker();
    const before = process.memoryUsage().rss;
    await flood(socket, 20_000, () => frame(TYPE.ping, 0, 0, Buffer.alloc(8)));
    await flood(socket, 20_000, () => frame(TYPE.settings, 0, 0));
    await servesOthers();
    expect(process.memoryUsage().rss - before).to.be.lessThan(200 * 1024 * 1024);
    socket.destroy();
  });

  it('ends what speaks something else than it has agreed on', async () => {
    const socket = await secureTo(world);
    const ended = over(socket);
    socket.resume().write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await ended;
    socket.destroy();
    await servesOthers();
  });
});
