// The two-way pipe, over streams in memory and over TCP.
import { once } from 'node:events';
import { connect, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { expect } from 'chai';
import { type SpliceResult, splice } from '../../../src/tunnel/duplex/splice.js';
import { duplexPair } from '../../support/duplex-pair.js';
import { readAll } from '../../support/read-all.js';
import { listenTcp, type Running } from '../../support/servers.js';

/** Splices, and resolves with the one result; a second one would be an error of its own. */
function spliced(a: Duplex, b: Duplex): Promise<SpliceResult> {
  return new Promise((resolve, reject) => {
    let ends = 0;
    splice(a, b, {
      onEnd: (result) => {
        ends += 1;
        if (ends > 1) reject(new Error('ended twice'));
        setImmediate(() => resolve(result));
      },
    });
  });
}

describe('splice', () => {
  it('copies both ways, passes each end on by itself and counts the bytes', async () => {
    const [client, a] = duplexPair();
    const [b, server] = duplexPair();
    const result = spliced(a, b);
    client.end('request');
    expect((await readAll(server)).toString()).to.equal('request');
    expect(client.readableEnded).to.equal(false);
    server.end('the answer after the half-close');
    expect((await readAll(client)).toString()).to.equal('the answer after the half-close');
    expect(await result).to.deep.equal({ bytesAtoB: 7, bytesBtoA: 31 });
  });

  it('leaves no stream open and no listener that reads or waits', async () => {
    const [client, a] = duplexPair();
    const [b, server] = duplexPair();
    const result = spliced(a, b);
    client.end('x');
    server.end('y');
    await Promise.all([readAll(client), readAll(server), result]);
    for (const stream of [a, b]) {
      expect(stream.destroyed).to.equal(true);
      const left = ['data', 'drain', 'unpipe'].filter((name) => stream.listenerCount(name) > 0);
      expect(left).to.deep.equal([]);
    }
  });

  it('destroys the other stream when one fails, and says why', async () => {
    const [client, a] = duplexPair();
    const [b, server] = duplexPair();
    const result = spliced(a, b);
    const clientError = once(client, 'error');
    server.on('error', () => undefined);
    b.destroy(new Error('broken cable'));
    expect((await result).error?.message).to.equal('broken cable');
    expect((await clientError)[0]).to.include({ code: 'connection_terminated' });
    expect(a.destroyed).to.equal(true);
  });

  it('takes a close without an end for a failure', async () => {
    const [client, a] = duplexPair();
    const [b, server] = duplexPair();
    client.on('error', () => undefined);
    server.on('error', () => undefined);
    const result = spliced(a, b);
    a.destroy();
    expect((await result).error?.code).to.equal('connection_terminated');
    expect(b.destroyed).to.equal(true);
  });

  it('ends at once when a stream was dead before it began', async () => {
    const [client, a] = duplexPair();
    const [b, server] = duplexPair();
    client.on('error', () => undefined);
    server.on('error', () => undefined);
    a.destroy();
    await once(a, 'close');
    const { error } = await spliced(a, b);
    expect(error?.code).to.equal('connection_terminated');
    expect(b.destroyed).to.equal(true);
  });

  it('holds the writer back while the reader is slow', async () => {
    const [client, a] = duplexPair(1024);
    const [b, server] = duplexPair(1024);
    const result = spliced(a, b);
    const total = 1_000_000;
    let written = 0;
    const pump = (): void => {
      while (written < total) {
        written += 1000;
        if (!client.write(Buffer.alloc(1000))) return void client.once('drain', pump);
      }
      client.end();
    };
    pump();
    await once(server, 'readable');
    // Nobody reads: whatever moves does so within these turns.
    for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
    expect(written).to.be.below(20_000);
    server.end();
    client.resume();
    expect((await readAll(server)).length).to.equal(total);
    expect((await result).bytesAtoB).to.equal(total);
  });

  describe('with TCP', () => {
    let accepted: Promise<Socket>;
    let running: Running<Server>;
    let socket: Socket;

    beforeEach(async () => {
      let onSocket: (socket: Socket) => void;
      accepted = new Promise((resolve) => {
        onSocket = resolve;
      });
      running = await listenTcp((s) => onSocket(s));
      socket = connect({ port: running.port, host: '127.0.0.1', allowHalfOpen: true });
      await once(socket, 'connect');
    });

    afterEach(() => running.close());

    it('resets the socket when the stream is aborted, instead of ending it cleanly', async () => {
      const far = await accepted;
      const [client, a] = duplexPair();
      const result = spliced(a, socket);
      client.write('half of');
      await once(far, 'data');
      const failure = once(far, 'error');
      client.destroy();
      expect((await failure)[0]).to.include({ code: 'ECONNRESET' });
      expect((await result).error?.code).to.equal('connection_terminated');
    });

    it('aborts the stream when the socket is reset', async () => {
      const far = await accepted;
      const [client, a] = duplexPair();
      const result = spliced(a, socket);
      const failure = once(client, 'error');
      far.resetAndDestroy();
      expect((await failure)[0]).to.include({ code: 'connection_terminated' });
      expect((await result).error?.message).to.contain('ECONNRESET');
    });

    it('half-closes in both directions', async () => {
      const far = await accepted;
      const [client, a] = duplexPair();
      const result = spliced(a, socket);
      client.end('question');
      expect((await readAll(far)).toString()).to.equal('question');
      far.end('answer');
      expect((await readAll(client)).toString()).to.equal('answer');
      expect((await result).error).to.equal(undefined);
    });
  });
});
