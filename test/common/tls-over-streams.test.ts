// TLS over streams that aren't sockets, which end while the other side still speaks.

import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { connect, createSecureContext, TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { prepareTlsOverStreams } from '../../src/common/tls-over-streams.js';
import { privatePem } from '../../src/tls/files/key-file.js';
import { SocketLike } from '../../src/tunnel/duplex/socket-like.js';
import { until } from '../support/until.js';
import { selfSigned } from '../tls/support.js';

/** One side of a pair whose end takes long to arrive, as it does over relays. */
class Slow extends SocketLike {
  other!: Slow;
  /** So many writes of the other side arrive at once, later ones are held back. */
  passes = Number.POSITIVE_INFINITY;
  readonly #held: Buffer[] = [];

  override _read(): void {
    // pushed as it comes
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.other.passes === 0) this.other.#held.push(chunk);
    else this.other.push(chunk);
    this.other.passes = Math.max(0, this.other.passes - 1);
    setImmediate(done);
  }

  override _final(_done: () => void): void {
    // never acknowledged
  }

  release(): void {
    this.passes = Number.POSITIVE_INFINITY;
    for (const chunk of this.#held.splice(0)) this.push(chunk);
  }
}

/** The same where an end arrives, and is known to. */
class Prompt extends Slow {
  override _final(done: () => void): void {
    this.other.push(null);
    setImmediate(done);
  }
}

describe('TLS over streams', () => {
  let client: TLSSocket;
  let server: TLSSocket;

  function connectOver(near: Slow, far: Slow): void {
    prepareTlsOverStreams();
    near.other = far;
    far.other = near;
    const pair = selfSigned();
    const [cert, key] = [pair.certificate.toString(), privatePem(pair)];
    const secureContext = createSecureContext({ cert, key });
    server = new TLSSocket(far, { isServer: true, secureContext });
    client = connect({ socket: near, rejectUnauthorized: false });
    client.on('error', () => undefined);
    server.on('error', () => undefined);
  }

  afterEach(() => {
    client.destroy();
    server.destroy();
  });

  it('that have ended takes what makes it write', async () => {
    const near = new Slow();
    const far = new Slow();
    far.passes = 1;
    connectOver(near, far);
    await once(client, 'secureConnect'); // its last message is on its way
    server.end();
    await until(() => far.writableEnded);
    far.release();
    client.write('what nobody answers any more');
    const [said] = (await once(server, 'data')) as [Buffer];
    expect(said.toString()).to.equal('what nobody answers any more');
  });

  it('that have ended in both directions still has what was not read, and then goes with them', async () => {
    const [near, far] = [new Prompt(), new Prompt()];
    connectOver(near, far);
    await once(server, 'secure');
    client.pause();
    client.end();
    server.resume();
    await once(server, 'end');
    server.end(Buffer.alloc(8 * 1024, 'x'));
    await until(() => near.readableEnded && near.writableFinished);
    await setTimeout(20); // for what would go with them
    expect(near.destroyed).to.equal(false);
    expect(await buffer(client)).to.have.lengthOf(8 * 1024);
    await until(() => near.closed && far.closed);
  });
});
