// A kept connection that its origin ends just as the next request comes: that request is answered all the same, and
// what must not be asked twice never goes out on one.

import type { Server, Socket } from 'node:net';
import { expect } from 'chai';
import { Forwarder } from '../../support/forwarder.js';
import { readAll } from '../../support/read-all.js';
import { listenTcp, type Running } from '../../support/servers.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('http/forward over kept connections', () => {
  let forwarder: Forwarder;
  let origin: Running<Server>;
  /** The heads that came on each connection. */
  let heads: string[][];
  let leave: (socket: Socket) => unknown;

  beforeEach(async () => {
    heads = [];
    forwarder = await Forwarder.start();
    origin = await listenTcp((socket) => {
      const own: string[] = [];
      heads.push(own);
      socket.on('data', (chunk: Buffer) => {
        const head = /^[A-Z]+ [\s\S]*?\r\n\r\n/.exec(chunk.toString())?.[0];
        if (head === undefined) return; // of a body
        own.push(head.split(' ', 1)[0]!);
        // Each connection serves one request.
        if (own.length === 1) socket.write(OK);
        else leave(socket);
      });
    });
    forwarder.originPort = origin.port;
  });
  afterEach(async () => {
    await forwarder.close();
    await origin.close();
  });

  async function ask(method: string, body?: string): Promise<string> {
    const headers = body === undefined ? {} : { 'Content-Length': body.length };
    const { outgoing, answer } = forwarder.send({ method, headers });
    outgoing.end(body);
    const res = await answer;
    return `${res.statusCode} ${await readAll(res)}`;
  }

  for (const [how, act] of [
    ['ends', (socket: Socket) => socket.end()],
    ['resets', (socket: Socket) => socket.resetAndDestroy()],
  ] as const) {
    for (const [method, body] of [
      ['GET', undefined],
      ['HEAD', undefined],
      ['DELETE', undefined],
      ['DELETE', ''],
      ['PUT', ''],
    ] as const) {
      const what = body === undefined ? method : `${method} with an empty body`;
      it(`asks ${what} again where the origin ${how} one`, async () => {
        leave = act;
        await ask('GET');
        expect(await ask(method, body)).to.match(/^200 /);
        expect(heads).to.deep.equal([['GET', method], [method]]);
      });
    }

    for (const [method, body] of [
      ['POST', undefined],
      ['POST', ''],
      ['POST', 'a body'],
      ['PATCH', ''],
      ['PUT', 'a body'],
      ['DELETE', 'a body'],
    ] as const) {
      const what = body === undefined ? method : `${method} with ${body || 'an empty body'}`;
      it(`sends ${what} where an origin that ${how} them can do no harm`, async () => {
        leave = act;
        await ask('GET');
        expect(await ask(method, body)).to.equal('200 ok');
        expect(heads).to.deep.equal([['GET'], [method]]);
      });
    }
  }
});
