// An origin that says by HTTP/2 that it hasn't looked at a request, or breaks it off: what may go out again does, and
// nothing else.

import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { expect } from 'chai';
import { Forwarder } from '../../support/forwarder.js';
import { readAll } from '../../support/read-all.js';
import { listenTcp } from '../../support/servers.js';
import { until } from '../../support/until.js';

const LARGE = 'x'.repeat(200_000);

/** A session that is as good as over when it begins. */
const ENDINGS: [string, (session: ServerHttp2Session) => unknown][] = [
  ['closes connections at once', (session) => session.destroy()],
  ['says GOAWAY at once', (session) => session.close()],
];

describe('http/forward to an origin of HTTP/2 that refuses requests', () => {
  let forwarder: Forwarder;
  /** Method and body of each request that the origin has taken up. */
  let served: string[];
  /** Requests that came, refused ones included. */
  let came: number;

  beforeEach(async () => {
    forwarder = await Forwarder.start();
    served = [];
    came = 0;
  });
  afterEach(() => forwarder.close());

  /** Does so with the first requests, and answers the others. */
  function first(count: number, act: (stream: ServerHttp2Stream) => unknown): Promise<void> {
    return forwarder.serveHttp2((stream, headers) => {
      stream.on('error', () => undefined);
      came += 1;
      if (came <= count) act(stream);
      else void answer(stream, String(headers[':method']));
    });
  }

  async function answer(stream: ServerHttp2Stream, method: string): Promise<void> {
    const body = (await readAll(stream)).toString();
    served.push(`${method} ${body}`);
    if (stream.destroyed) return;
    stream.respond({ ':status': 200 });
    stream.end('at last');
  }

  async function ask(method: string, body = '') {
    const headers = body === '' ? {} : { 'Content-Length': body.length };
    const { outgoing, answer } = forwarder.send({ method, headers });
    outgoing.end(body);
    const res = await answer;
    return { status: res.statusCode, text: (await readAll(res)).toString() };
  }

  const refuse = (stream: ServerHttp2Stream): void => {
    stream.close(constants.NGHTTP2_REFUSED_STREAM);
  };
  /** Takes no more, and nothing of this. */
  const goAway = (stream: ServerHttp2Stream): void => {
    const session = stream.session as ServerHttp2Session;
    session.goaway(constants.NGHTTP2_NO_ERROR, (stream.id ?? 1) - 2);
    session.close();
  };
  const breakOff = (stream: ServerHttp2Stream): void => {
    stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  };
  const cut = (stream: ServerHttp2Stream): void => {
    stream.session?.destroy();
  };

  for (const [how, act] of [
    ['REFUSED_STREAM', refuse],
    ['GOAWAY', goAway],
  ] as const) {
    for (const [method, body] of [
      ['GET', ''],
      ['POST', ''],
      ['POST', 'a body'],
      ['PUT', 'a body'],
    ] as const) {
      it(`sends ${method} with ${body || 'no body'} again after ${how}`, async () => {
        if (how === 'GOAWAY') await warmUp(act);
        else await first(1, act);
        expect(await ask(method, body)).to.deep.equal({ status: 200, text: 'at last' });
        expect(served.at(-1)).to.equal(`${method} ${body}`);
      });
    }
  }

  /** Has one request answered on the session that then says GOAWAY to the second. */
  async function warmUp(act: (stream: ServerHttp2Stream) => unknown): Promise<void> {
    await forwarder.serveHttp2((stream, headers) => {
      stream.on('error', () => undefined);
      came += 1;
      if (came === 2) act(stream);
      else void answer(stream, String(headers[':method']));
    });
    await ask('GET');
  }

  it('sends again what had begun only, and its end behind it', async () => {
    let refused: () => void = () => undefined;
    const wasRefused = new Promise<void>((resolve) => (refused = resolve));
    await first(1, (stream) => {
      stream.once('data', () => {
        stream.once('close', refused);
        refuse(stream);
      });
    });
    const { outgoing, answer } = forwarder.send({ method: 'POST' });
    outgoing.write('first, ');
    await wasRefused;
    outgoing.end('second');
    expect((await answer).statusCode).to.equal(200);
    expect(served).to.deep.equal(['POST first, second']);
  });

  it('says what happened where too much of a body is gone for a second time', async () => {
    await first(9, (stream) => {
      let bytes = 0;
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes >= LARGE.length) refuse(stream);
      });
    });
    const { status, text } = await ask('POST', LARGE);
    expect([status, came]).to.deep.equal([502, 1]);
    expect(text).to.match(/^nws: the target took up none of this request: /);
  });

  for (const method of ['GET', 'POST']) {
    it(`gives up on ${method} where all is refused`, async () => {
      await first(Number.POSITIVE_INFINITY, refuse);
      const { status, text } = await ask(method);
      expect(status).to.equal(502);
      expect(text).to.match(/REFUSED_STREAM/);
      expect(came).to.equal(3);
    });
  }

  for (const [how, act, said] of [
    ['is broken off', breakOff, 'ended the request: INTERNAL_ERROR'],
    ['loses its connection', cut, 'closed the connection'],
  ] as const) {
    it(`asks a second time for a GET that ${how}`, async () => {
      await first(1, act);
      expect(await ask('GET')).to.deep.equal({ status: 200, text: 'at last' });
      expect(came).to.equal(2);
    });

    it(`does not ask a third time for a GET that ${how}`, async () => {
      await first(9, act);
      expect(await ask('GET')).to.deep.equal({ status: 502, text: `nws: the target ${said}\n` });
      expect(came).to.equal(2);
    });

    for (const [method, body] of [
      ['POST', ''],
      ['POST', 'a body'],
      ['PUT', 'a body'],
    ] as const) {
      it(`asks once only for ${method} with ${body || 'no body'} that ${how}`, async () => {
        await first(1, act);
        const { status, text } = await ask(method, body);
        expect([status, came]).to.deep.equal([502, 1]);
        expect(text).to.equal(`nws: the target ${said}\n`);
      });
    }
  }

  it('never lets an answer whose connection ends look whole', async () => {
    await forwarder.serveHttp2((stream) => {
      stream.on('error', () => undefined);
      stream.respond({ ':status': 200 });
      stream.write('half', () => stream.session?.destroy());
    });
    const { outgoing, answer } = forwarder.send();
    outgoing.end();
    const res = await answer;
    const failed = await readAll(res).then(
      () => false,
      () => true,
    );
    expect(failed).to.equal(true);
  });

  it('finds out that a kept connection is over, and asks on another', async () => {
    await first(0, refuse);
    await ask('GET');
    const [socket] = forwarder.origin!.sockets;
    socket!.end();
    await until(() => forwarder.origin!.sockets.size === 0);
    expect((await ask('POST', 'a body')).text).to.equal('at last');
  });

  for (const [what, act] of ENDINGS) {
    it(`says so where an origin ${what}`, async () => {
      await first(0, refuse);
      forwarder.origin!.server.on('session', act);
      const { status, text } = await ask('GET');
      expect(status).to.equal(502);
      expect(text).to.match(/^nws: the target /);
    });
  }

  it('does not try for ever where each connection takes no request', async () => {
    let connections = 0;
    const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    const away = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    const origin = await listenTcp((socket) => {
      connections += 1;
      if (connections > 100) socket.destroy();
      else socket.write(Buffer.concat([settings, away]));
    });
    await forwarder.serveHttp2(() => undefined);
    forwarder.originPort = origin.port;
    const { status, text } = await ask('GET');
    expect(status).to.equal(502);
    expect(text).to.match(/^nws: the target took up none of this request/);
    expect(connections).to.be.lessThan(10);
    await origin.close();
  });

  for (const framing of ['a length', 'chunks']) {
    it(`never lets a cut upload look whole: ${framing}`, async () => {
      let over: (how: string) => void = () => undefined;
      const ended = new Promise<string>((resolve) => (over = resolve));
      const { outgoing } = forwarder.send({
        method: 'POST',
        ...(framing === 'a length' && { headers: { 'Content-Length': 9 } }),
      });
      await forwarder.serveHttp2((stream) => {
        stream.on('error', () => undefined);
        stream.once('end', () => over(stream.aborted ? 'aborted' : 'whole'));
        stream.once('close', () => over('cut'));
        stream.once('data', () => outgoing.destroy());
      });
      outgoing.write('half');
      expect(await ended).to.not.equal('whole');
    });
  }
});
