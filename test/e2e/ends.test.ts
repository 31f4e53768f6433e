// However a connection ends, nothing of it stays: no stream, client, target socket, timer or handle on either side.

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server, Socket } from 'node:net';
import { expect } from 'chai';
import { MemoryRelay } from '../../src/index.js';
import { keepWriting } from '../support/keep-writing.js';
import { readAll } from '../support/read-all.js';
import { listenTcp, type Running } from '../support/servers.js';
import { onEmbeddedRelay } from '../support/test-relay.js';
import { until } from '../support/until.js';
import { Site } from './support/site.js';
import { outputOf } from './support/tools.js';
import { World } from './support/world.js';

/** What keeps the process alive, by kind; taken when no timer of the test's own is running. */
async function handles(): Promise<Record<string, number>> {
  await new Promise(setImmediate);
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) {
    if (kind !== 'Immediate') counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

/** Waits until the process holds what it held before, and nothing more. */
async function untilHandlesAre(expected: Record<string, number>): Promise<void> {
  const text = JSON.stringify(Object.entries(expected).sort());
  await until(async () => JSON.stringify(Object.entries(await handles()).sort()) === text);
}

/** Both ends of a connection through the tunnel. */
interface Ends {
  readonly client: Socket;
  readonly target: Socket;
}

describe('the end of a connection', function () {
  this.timeout(60_000);
  let target: Running<Server>;
  let arrived: (socket: Socket) => void;
  let world: World;

  before(async () => {
    target = await listenTcp((socket) => arrived(socket));
  });
  after(() => target.close());
  beforeEach(async () => {
    world = await World.start({ target: `tcp://127.0.0.1:${target.port}` });
  });
  afterEach(() => world.close());

  /** A connection that has carried bytes both ways. */
  async function open(): Promise<Ends> {
    const accepted = new Promise<Socket>((resolve) => {
      arrived = resolve;
    });
    const client = await world.connect();
    client.write('hello');
    const server = await accepted;
    expect(String((await once(server, 'data'))[0])).to.equal('hello');
    server.write('welcome');
    expect(String((await once(client, 'data'))[0])).to.equal('welcome');
    return { client, target: server };
  }

  async function nothingLeft(): Promise<void> {
    await world.quiet();
    await until(() => target.sockets.size === 0);
  }

  const orderly: Readonly<Record<string, (ends: Ends) => [first: Socket, second: Socket]>> = {
    'the client ends first': ({ client, target }) => [client, target],
    'the target ends first': ({ client, target }) => [target, client],
  };
  for (const [what, order] of Object.entries(orderly)) {
    it(`leaves nothing when ${what}`, async () => {
      const [first, second] = order(await open());
      first.end('last words');
      expect(String(await readAll(second))).to.equal('last words');
      second.end('and mine');
      expect(String(await readAll(first))).to.equal('and mine');
      await nothingLeft();
    });
  }

  const broken: Readonly<Record<string, (ends: Ends) => [leaving: Socket, staying: Socket]>> = {
    'the client resets': ({ client, target }) => [client, target],
    'the target resets': ({ client, target }) => [target, client],
  };
  for (const [what, order] of Object.entries(broken)) {
    it(`leaves nothing when ${what}, and the other side sees a reset`, async () => {
      const [leaving, staying] = order(await open());
      const failed = once(staying.removeAllListeners('error'), 'error');
      staying.resume();
      leaving.resetAndDestroy();
      expect((await failed)[0]).to.include({ code: 'ECONNRESET' });
      await nothingLeft();
    });
  }

  it('leaves nothing when a side goes in the middle of a bulk transfer', async () => {
    for (const who of ['client', 'target'] as const) {
      const ends = await open();
      const [reader, writer] =
        who === 'client' ? [ends.client, ends.target] : [ends.target, ends.client];
      keepWriting(writer, Buffer.alloc(1_000_000));
      await once(reader, 'data');
      reader.resetAndDestroy();
      await nothingLeft();
    }
  });

  it('leaves nothing when client and target go silent and the exit ends', async () => {
    const { client } = await open();
    const failed = once(client.removeAllListeners('error'), 'error');
    client.resume();
    await world.exit.close(0);
    expect((await failed)[0]).to.include({ code: 'ECONNRESET' });
    await nothingLeft();
  });

  it('leaves nothing when client and target go silent and the proxy ends', async () => {
    const ends = await open();
    const failures = Object.values(ends).map((socket: Socket) =>
      once(socket.removeAllListeners('error').resume(), 'error'),
    );
    await world.proxy.close(0);
    for (const [error] of await Promise.all(failures)) {
      expect(error).to.include({ code: 'ECONNRESET' }); // no side takes it for an orderly end
    }
    await nothingLeft();
  });

  onEmbeddedRelay(() => {
    it('leaves nothing when a side goes while the relay is away, once that is back', async () => {
      const gone = await open();
      const { port } = new URL(world.relay.url);
      const stays = await open();
      await world.relay.close();
      gone.client.resetAndDestroy();
      stays.client.write('over the gap');
      world.relay = await MemoryRelay.start({ port: Number(port) });
      expect(String((await once(stays.target, 'data'))[0])).to.equal('over the gap');
      stays.client.resetAndDestroy();
      await nothingLeft();
    });

    it('leaves nothing when both are told to end while the relay is away for good', async () => {
      await open();
      await world.relay.close();
      await Promise.all([world.proxy.close(0), world.exit.close(0)]);
      await nothingLeft();
    });

    it('leaves nothing when a client gives up before there is an answer', async () => {
      world.relay.behaviour.deliveryDelayMs = 200;
      for (let count = 0; count < 10; count += 1) {
        arrived = (socket) => void socket.resume();
        (await world.connect()).resetAndDestroy();
      }
      await nothingLeft();
    });
  });
});

describe('the end of a request', function () {
  this.timeout(60_000);
  let site: Site;
  let world: World;

  beforeEach(async () => {
    site = await Site.start();
    world = await World.start({ target: site.url });
  });
  afterEach(async () => {
    await world.close();
    await site.close();
  });

  /** curl in the middle of an answer that doesn't end. */
  async function midway() {
    const asked = once(site, 'request') as Promise<[IncomingMessage, ServerResponse]>;
    const child = world.startCurl('-N', world.https('/held/'));
    const output = outputOf(child);
    const [, res] = await asked;
    res.writeHead(200, { 'Content-Length': 1_000 }).write('only this');
    await once(child.stdout, 'readable');
    return { child, output, res };
  }

  it('is a failure of curl when the target breaks off', async () => {
    const { output, res } = await midway();
    res.destroy();
    expect((await output).status).to.be.oneOf([18, 56]); // partial file, or reset
    await world.quiet();
  });

  it('is a failure of curl when the exit ends', async () => {
    const { output } = await midway();
    await world.exit.close(0);
    expect((await output).status).to.be.oneOf([18, 56]);
    await world.quiet();
  });

  it('is a failure of curl when the proxy ends', async () => {
    const { output, res } = await midway();
    const closed = once(res, 'close');
    await world.proxy.close(0);
    expect((await output).status).to.be.oneOf([18, 56]);
    await closed;
    await world.quiet();
  });

  it('ends the request to the target when curl is killed', async () => {
    const { child, res } = await midway();
    const closed = once(res, 'close');
    child.kill('SIGKILL');
    await closed;
    await world.quiet();
  });

  it('leaves the process nothing to wait for', async () => {
    await world.close();
    const before = await handles();
    world = await World.start({ target: site.url });
    for (const url of [world.https('/'), world.http('/'), 'https://nonsense.nostr/']) {
      await world.curl(url);
    }
    const { child, output } = await midway();
    child.kill('SIGKILL');
    await output;
    await world.close();
    await until(() => site.connections === 0);
    await untilHandlesAre(before);
  });
});
