// What a client of HTTP/2 may have open, and what it may leave unread: beyond it, it pays itself.

import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  constants,
  type ServerHttp2Stream,
} from 'node:http2';
import { connect, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import {
  MAX_CONCURRENT_STREAMS,
  UPLOAD_WINDOW_BYTES,
  UPLOAD_WINDOWS_BYTES,
} from '../../../src/http/h2/bounds.js';
import { type OnStream, serveHttp2 } from '../../../src/http/h2/server.js';
import { MAX_UNREAD_BYTES } from '../../../src/http/h2/uploads.js';
import {
  ACK,
  END_HEADERS,
  END_STREAM,
  type Frame,
  frame,
  framesOf,
  HEAD,
  PREFACE,
  TYPE,
} from '../../support/http2-frames.js';
import { listenTcp, type Running } from '../../support/servers.js';
import { until } from '../../support/until.js';

describe('the bounds of http/h2/server', () => {
  let server: Running<Server>;
  let onStream: OnStream;

  before(async () => {
    server = await listenTcp((socket) => serveHttp2(socket, (...heard) => onStream(...heard)));
  });
  after(() => server.close());

  /** A client by hand, and the frames that came to it so far. */
  async function raw(): Promise<{ socket: Socket; got: () => Frame[] }> {
    const socket = connect(server.port, '127.0.0.1').on('error', () => undefined);
    let bytes = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
    });
    socket.write(Buffer.concat([PREFACE, frame(TYPE.settings, 0, 0)]));
    return { socket, got: () => framesOf(bytes) };
  }

  const opening = (n: number): Buffer =>
    frame(TYPE.headers, END_HEADERS | END_STREAM, 2 * n + 1, HEAD);
  const openings = (count: number): Buffer =>
    Buffer.concat([...Array(count).keys()].map((n) => opening(n)));

  it(`take ${MAX_CONCURRENT_STREAMS} requests at once, and refuse more that come before they are known`, async () => {
    const asked: (() => void)[] = [];
    onStream = (stream) => {
      asked.push(() => stream.respond({ ':status': 200 }, { endStream: true }));
    };
    const { socket, got } = await raw();
    socket.write(openings(MAX_CONCURRENT_STREAMS + 5));
    const refused = (): Frame[] => got().filter(({ type }) => type === TYPE.reset);
    await until(() => refused().length === 5);
    for (const { payload } of refused()) {
      expect(payload.readUInt32BE()).to.equal(constants.NGHTTP2_REFUSED_STREAM);
    }
    expect(asked).to.have.length(MAX_CONCURRENT_STREAMS);
    for (const answer of asked) answer();
    const answered = (): Frame[] => got().filter(({ type }) => type === TYPE.headers);
    await until(() => answered().length === MAX_CONCURRENT_STREAMS);
    socket.destroy();
  });

  it('take another one for each that is over', async () => {
    let count = 0;
    onStream = (stream) => {
      count += 1;
      if (count === MAX_CONCURRENT_STREAMS) stream.respond({ ':status': 200 }, { endStream: true });
    };
    const { socket, got } = await raw();
    await until(() => got().some(({ type, flags }) => type === TYPE.settings && flags === 0));
    socket.write(frame(TYPE.settings, ACK, 0));
    socket.write(openings(MAX_CONCURRENT_STREAMS));
    await until(() => got().some(({ type }) => type === TYPE.headers));
    socket.write(opening(MAX_CONCURRENT_STREAMS));
    await until(() => count === MAX_CONCURRENT_STREAMS + 1);
    socket.destroy();
  });

  it('end the session of who knows them and sends more, and no other', async () => {
    onStream = (stream, headers) => {
      if (headers[':path'] === '/others') stream.respond({ ':status': 200 }, { endStream: true });
    };
    const others = client();
    const { socket, got } = await raw();
    await until(() => got().some(({ type, flags }) => type === TYPE.settings && flags === 0));
    socket.write(frame(TYPE.settings, ACK, 0));
    socket.write(openings(MAX_CONCURRENT_STREAMS + 1));
    await until(() => socket.destroyed || socket.readableEnded);
    const next = others.request({ ':path': '/others' });
    expect((await once(next, 'response'))[0][':status']).to.equal(200);
    others.destroy();
    socket.destroy();
  });

  function client(): ClientHttp2Session {
    const session = connectHttp2(`http://127.0.0.1:${server.port}`);
    return session.on('error', () => undefined);
  }

  it('end the session that leaves most unread, over all of them, and no other', async () => {
    onStream = (stream, headers) => {
      if (headers[':path'] === '/read') stream.resume().respond({ ':status': 200 });
      else stream.on('error', () => undefined); // nobody reads
    };
    const modest = client();
    const held = modest.request({ ':method': 'POST', ':path': '/unread' });
    held.on('error', () => undefined).write(Buffer.alloc(100_000));
    const count = Math.ceil(MAX_UNREAD_BYTES / UPLOAD_WINDOWS_BYTES) + 1;
    const greedy = Array.from({ length: count }, client);
    const away = Promise.race(greedy.map((session) => once(session, 'goaway')));
    for (const session of greedy) {
      for (let left = UPLOAD_WINDOWS_BYTES; left > 0; left -= UPLOAD_WINDOW_BYTES) {
        const stream = session.request({ ':method': 'POST', ':path': '/unread' });
        stream.on('error', () => undefined).write(Buffer.alloc(UPLOAD_WINDOW_BYTES));
      }
    }
    expect((await away)[0]).to.equal(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    await until(() => greedy.some(({ destroyed }) => destroyed));
    const next = modest.request({ ':method': 'POST', ':path': '/read' });
    next.end('body');
    expect((await once(next, 'response'))[0][':status']).to.equal(200);
    expect([held.closed, modest.destroyed]).to.deep.equal([false, false]);
    modest.destroy();
    for (const session of greedy) session.destroy();
  });

  it('give one upload the widest window, and let many share it, as those before them end', async () => {
    const streams: ServerHttp2Stream[] = [];
    onStream = (stream) => {
      streams.push(stream.on('error', () => undefined));
    };
    const session = client();
    await once(session, 'remoteSettings');
    const window = (): number | undefined => session.remoteSettings.initialWindowSize;
    const upload = (): ClientHttp2Stream => {
      const stream = session.request({ ':method': 'POST', ':path': '/' });
      stream.on('error', () => undefined).write('x');
      return stream;
    };
    expect(window()).to.equal(UPLOAD_WINDOW_BYTES);
    const uploads = [upload(), upload()];
    await until(() => streams.length === 2);
    expect(window()).to.equal(UPLOAD_WINDOW_BYTES);
    while (uploads.length < 20) uploads.push(upload());
    await until(() => window() === UPLOAD_WINDOWS_BYTES / 32);
    for (const each of uploads.slice(3)) each.close();
    await until(() => window() === UPLOAD_WINDOWS_BYTES / 4);
    for (const each of uploads) each.close();
    await until(() => window() === UPLOAD_WINDOW_BYTES);
    session.destroy();
  });

  it('hold what many uploads leave unread below what the widest windows of a few do', async () => {
    const streams: ServerHttp2Stream[] = [];
    onStream = (stream) => {
      streams.push(stream.on('error', () => undefined)); // nobody reads
    };
    const session = client();
    for (let count = 0; count < 16; count += 1) {
      const stream = session.request({ ':method': 'POST', ':path': '/' });
      stream.on('error', () => undefined).write(Buffer.alloc(UPLOAD_WINDOW_BYTES));
    }
    const unread = (): number => streams.reduce((sum, each) => sum + each.readableLength, 0);
    let before = -1;
    await until(() => {
      const isStill = before > 0 && unread() === before;
      before = unread();
      return isStill && session.remoteSettings.initialWindowSize === UPLOAD_WINDOWS_BYTES / 16;
    });
    expect(before).to.be.below(2 * UPLOAD_WINDOWS_BYTES);
    expect(session.destroyed).to.equal(false);
    session.destroy();
  });
});
