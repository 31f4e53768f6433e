// How streams over connections of the exit end: in order, by a cut on the way, and with the programs themselves.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { WebSocket } from 'ws';
import type { RunningExit } from '../../../src/index.js';
import { readAll } from '../../support/read-all.js';
import { listenTcp, type Running } from '../../support/servers.js';
import { until } from '../../support/until.js';
import { generated } from '../support/bytes.js';
import { Site } from '../support/site.js';
import { type Passage, ReversePath } from './path.js';
import { ReverseWorld } from './world.js';

const MB = 1_000_000;

describe('the end of a stream over a connection of the exit', function () {
  this.timeout(20_000);
  let site: Site;
  let target: Running<Server>;
  let onSocket: (socket: Socket) => void;
  let path: ReversePath;
  let world: ReverseWorld;

  before(async () => {
    site = await Site.start();
    target = await listenTcp((socket) => onSocket(socket));
  });
  after(async () => {
    await site.close();
    await target.close();
  });

  async function start(): Promise<void> {
    // For the stream by which the entry learns of the exit.
    onSocket = (socket) => socket.resume().end('hello');
    path = await ReversePath.start();
    world = await ReverseWorld.start({ path });
  }
  async function stop(): Promise<void> {
    await world.close();
    await until(() => site.connections + target.sockets.size === 0);
    await path.close();
  }
  const service = (): string => `tcp://127.0.0.1:${target.port}`;

  /** Both ends of a connection to a TCP service, which has carried bytes both ways. */
  async function open(): Promise<{ client: Socket; server: Socket }> {
    const accepted = new Promise<Socket>((resolve) => {
      onSocket = resolve;
    });
    const client = await world.world.connect();
    client.write('question');
    const server = await accepted;
    expect(String((await once(server, 'data'))[0])).to.equal('question');
    server.write('half of');
    expect(String((await once(client, 'data'))[0])).to.equal('half of');
    return { client, server };
  }

  async function isReset(socket: Socket): Promise<void> {
    const failed = once(socket.removeAllListeners('error').resume(), 'error');
    expect((await failed)[0]).to.include({ code: 'ECONNRESET' });
  }

  /** An answer of the site that has got half-way, and stays there until its `res` goes on. */
  async function download(): Promise<{
    res: ServerResponse;
    outcome: Promise<unknown[]>;
    got: () => number;
  }> {
    const asked = once(site, 'request') as Promise<[IncomingMessage, ServerResponse]>;
    const child = world.world.startCurl('-N', world.world.https('/held/half'));
    let got = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      got += chunk.length;
    });
    const [, res] = await asked;
    res.setHeader('Content-Length', 2 * MB);
    for await (const chunk of generated(MB)) res.write(chunk);
    await until(() => got === MB);
    return { res, outcome: once(child, 'close'), got: () => got };
  }

  describe('while both programs go on', () => {
    let ofService: RunningExit;
    let ofSite: RunningExit;

    before(async () => {
      await start();
      ofService = await world.meetExit(service());
      ofSite = await world.meetExit(site.url);
    });
    after(stop);
    afterEach(() => world.quiet());

    it('is passed on for each direction by itself', async () => {
      world.world.exit = ofService;
      for (const first of ['client', 'server'] as const) {
        const ends = await open();
        const [one, other] =
          first === 'client' ? [ends.client, ends.server] : [ends.server, ends.client];
        const atOther = readAll(other);
        generated(3 * MB).pipe(one);
        expect(await atOther).to.deep.equal(await buffer(generated(3 * MB)));
        expect(one.readableEnded).to.equal(false);
        other.end('last words');
        expect(String(await readAll(one))).to.equal('last words');
        await world.quiet();
      }
      expect(world.ways(ofService)).to.deep.equal(['relay', 'reverse', 'reverse']);
      expect(world.proxy.sums.failed).to.deep.equal({});
    });

    it('is one for a WebSocket, too, and no failure', async () => {
      world.world.exit = ofSite;
      const { url, caPath } = world.proxy;
      const options = { agent: new HttpsProxyAgent(url), ca: readFileSync(caPath) };
      const socket = new WebSocket(`wss://${ofSite.domain}/chat`, options);
      const [{ socket: connection }] = (await once(socket, 'upgrade')) as [IncomingMessage];
      const answer = once(socket, 'message');
      if (socket.readyState !== WebSocket.OPEN) await once(socket, 'open');
      socket.send('over and out');
      expect(String((await answer)[0])).to.equal('over and out');
      connection.end();
      await once(socket, 'close');
      await world.quiet();
      expect(world.ways(ofSite).at(-1)).to.equal('reverse');
      for (const { sums } of [world.proxy, ofSite]) expect(sums.failed).to.deep.equal({});
    });

    it('is a reset for one side when the other side resets', async () => {
      world.world.exit = ofService;
      for (const leaving of ['client', 'server'] as const) {
        const ends = await open();
        const staying = ends[leaving === 'client' ? 'server' : 'client'];
        const seen = isReset(staying);
        ends[leaving].resetAndDestroy();
        await seen;
        await world.quiet();
        expect(world.ways(ofService).at(-1)).to.equal('reverse');
      }
    });

    const cuts: Readonly<Record<string, (passage: Passage) => void>> = {
      'is reset': (passage) => passage.reset(),
      'is ended by somebody on the way': (passage) => passage.end(),
    };
    for (const [what, cut] of Object.entries(cuts)) {
      it(`is a reset for both sides when the connection ${what}`, async () => {
        world.world.exit = ofService;
        const { client, server } = await open();
        const both = Promise.all([isReset(client), isReset(server)]);
        cut(path.passages.at(-1)!);
        await both;
        await world.quiet();
      });

      it(`is an error of the download when the connection ${what}, and the next one is well`, async () => {
        world.world.exit = ofSite;
        const { outcome, got } = await download();
        cut(path.passages.at(-1)!);
        const [status] = await outcome;
        expect(status).to.not.equal(0);
        expect(got()).to.equal(MB);
        await world.quiet();
        expect((await world.world.curl(world.world.https('/next'))).stdout).to.equal('GET /next\n');
        await world.quiet();
        expect(world.ways(ofSite).slice(-2)).to.deep.equal(['reverse', 'reverse']);
      });
    }

    it('comes when the client leaves while the exit is still connecting', async () => {
      world.world.exit = ofSite;
      path.hold();
      const next = path.next();
      const child = world.world.startCurl(world.world.https('/never'));
      const { exitSide } = await next;
      child.kill();
      await until(() => exitSide.readableEnded || exitSide.destroyed);
      await world.quiet();
      expect(site.requests).to.not.include('GET /never');
      expect(world.failures(ofSite)).to.equal(0);
      path.release();
    });
  });

  describe('when a program ends', () => {
    beforeEach(start);
    afterEach(stop);

    it('comes with the end of the entry', async () => {
      await world.meetExit(service());
      const { client, server } = await open();
      const both = Promise.all([isReset(client), isReset(server)]);
      await world.proxy.close(0);
      await both;
      expect(world.proxy.streams).to.equal(0);
      await until(() => world.world.exit.streams === 0 && path.connections === 0);
    });

    it('comes with the end of the exit', async () => {
      await world.meetExit(service());
      const { client, server } = await open();
      const both = Promise.all([isReset(client), isReset(server)]);
      await world.world.exit.close(0);
      await both;
      expect(world.world.exit.streams).to.equal(0);
      await until(() => world.proxy.streams === 0 && path.connections === 0);
    });

    for (const side of ['entry', 'exit'] as const) {
      it(`waits for an answer that is under way when the ${side} ends with some grace`, async () => {
        await world.meetExit(site.url);
        const { res, outcome, got } = await download();
        const closed =
          side === 'entry' ? world.proxy.close(30_000) : world.world.exit.close(30_000);
        for await (const chunk of generated(MB)) res.write(chunk);
        res.end();
        expect((await outcome)[0]).to.equal(0);
        expect(got()).to.equal(2 * MB);
        await closed;
        await until(() => path.connections === 0);
      });
    }

    it('comes to one that the exit was connecting for when it began to close', async () => {
      const exit = await world.meetExit(site.url);
      path.hold();
      const next = path.next();
      const asked = world.world.curl('-o', '/dev/null', world.world.https('/too-late'));
      await next;
      const closed = exit.close(1_500);
      path.release();
      await closed;
      expect(exit.streams).to.equal(0);
      await until(() => path.connections === 0);
      await asked;
      expect(site.requests).to.not.include('GET /too-late');
    });
  });
});
