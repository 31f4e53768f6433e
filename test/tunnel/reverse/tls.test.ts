// TLS on reverse connections over real TCP: who proves what, what a person in the middle sees.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import tls from 'node:tls';
import { expect } from 'chai';
import { presentKey } from '../../../src/tunnel/reverse/dial.js';
import { errorOf } from '../../support/expect-error.js';
import { readAll } from '../../support/read-all.js';
import { listenTcp } from '../../support/servers.js';
import { until } from '../../support/until.js';
import { selfSigned } from '../../tls/support.js';
import { bytesUntilClose, Middle, newKey, newSecret, Scene, type SceneOptions } from './support.js';

const TLS_HANDSHAKE_RECORD = 0x16;

describe('TLS on reverse connections', () => {
  const closing: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(item: T): T => {
    closing.push(item);
    return item;
  };
  const start = async (options?: SceneOptions): Promise<Scene> => keep(await Scene.start(options));
  afterEach(async () => {
    for (const item of closing.splice(0).reverse()) await item.close();
  });

  it('is TLS 1.3 by the pre-shared key, without a certificate', async () => {
    const scene = await start();
    // Node has no name for the hybrid ones that newer versions prefer.
    const curves = tls.DEFAULT_ECDH_CURVE;
    tls.DEFAULT_ECDH_CURVE = 'X25519';
    const pair = await scene.pair(newSecret()).finally(() => {
      tls.DEFAULT_ECDH_CURVE = curves;
    });
    const streams = Object.values(pair);
    for (const stream of streams) {
      if (!(stream instanceof tls.TLSSocket)) return expect.fail('not a TLS stream');
      expect(stream.getProtocol()).to.equal('TLSv1.3');
      expect(stream.getCipher().name).to.equal('TLS_AES_128_GCM_SHA256');
      expect(stream.isSessionReused()).to.equal(true);
      expect(stream.getPeerX509Certificate()).to.equal(undefined);
      expect(stream.getX509Certificate()).to.equal(undefined);
    }
    // With the key exchange inside: a secret that leaks later opens no recording.
    const [, exit] = streams;
    expect((exit as tls.TLSSocket).getEphemeralKeyInfo()).to.include({ type: 'ECDH' });
  });

  it('shows nothing but the key and TLS on the path', async () => {
    const scene = await start();
    const middle = keep(await Middle.start(scene));
    const { entry, exit } = await scene.pair(newSecret(), connect(middle.port, '127.0.0.1'));
    entry.end('the entry says something in confidence');
    exit.end('so does the exit');
    await Promise.all([readAll(entry), readAll(exit)]);
    const seen = Buffer.concat(middle.seen);
    expect(seen[36]).to.equal(1);
    expect(seen[37]).to.equal(TLS_HANDSHAKE_RECORD);
    for (const text of ['confidence', 'exit']) expect(seen.includes(text)).to.equal(false);
  });

  describe('lets nobody in', () => {
    it('who has another secret, and goes on expecting the one who has it', async () => {
      const scene = await start();
      const [key, secret] = [newKey(), newSecret()];
      const expected = scene.listener.expect(key, { secret });
      const foreign = await scene.dial();
      const error = await errorOf(() => presentKey(foreign, key, newSecret()));
      expect(error.code).to.equal('reverse_unreachable');
      expect(foreign.destroyed).to.equal(true);
      const [entry, exit] = await Promise.all([
        expected,
        presentKey(await scene.dial(), key, secret),
      ]);
      entry.write('to the right one');
      expect(String((await once(exit, 'data'))[0])).to.equal('to the right one');
      expect(scene.listener.counts.refused.tls_failed).to.equal(1);
    });

    it('who comes without TLS, with garbage, or falls silent', async () => {
      const scene = await start({ limits: { handshakeMs: 50 } });
      const [key, secret] = [newKey(), newSecret()];
      const expected = scene.listener.expect(key, { secret });
      for (const text of ['', 'GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\x40\x00']) {
        const socket = await scene.dial();
        socket.write(`${key}${text}`);
        const got = await bytesUntilClose(socket);
        // At most an alert comes behind the one byte.
        expect(got[0]).to.equal(1);
        expect(got.length).to.be.below(10);
      }
      await Promise.all([expected, presentKey(await scene.dial(), key, secret)]);
      expect(scene.listener.counts.refused.tls_failed).to.equal(3);
    });

    it('who speaks TLS 1.3 or 1.2 without the secret, or names another key', async () => {
      const scene = await start();
      const [key, secret] = [newKey(), newSecret()];
      const expected = scene.listener.expect(key, { secret });
      const clients: tls.ConnectionOptions[] = [
        {},
        { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' },
        {
          maxVersion: 'TLSv1.2',
          ciphers: 'PSK',
          pskCallback: () => ({ psk: secret, identity: key }),
        },
        { pskCallback: () => ({ psk: secret, identity: newKey() }) },
        { pskCallback: () => ({ psk: Buffer.alloc(32), identity: key }) },
      ];
      for (const options of clients) {
        const socket = await scene.dial();
        socket.write(key);
        await once(socket, 'readable');
        expect(socket.read(1)).to.deep.equal(Buffer.of(1));
        const client = tls.connect({ ...options, socket, rejectUnauthorized: false });
        const [error] = await once(client, 'error');
        expect((error as NodeJS.ErrnoException).code).to.match(/^ERR_SSL|ECONNRESET/);
      }
      await Promise.all([expected, presentKey(await scene.dial(), key, secret)]);
    });

    it('after so many tries, and gives up when all have failed', async () => {
      const scene = await start({ limits: { maxTries: 3 } });
      const [key, secret] = [newKey(), newSecret()];
      const expected = errorOf(() => scene.listener.expect(key, { secret }));
      const idle = await Promise.all([scene.dial(), scene.dial(), scene.dial()]);
      for (const socket of idle) {
        socket.write(key);
        await once(socket, 'data');
      }
      const fourth = await scene.dial();
      fourth.write(key);
      expect(await bytesUntilClose(fourth)).to.have.length(0);
      for (const socket of idle) socket.destroy();
      expect((await expected).code).to.equal('reverse_unreachable');
      expect(scene.listener.counts.refused).to.include({ too_many_tries: 1, tls_failed: 3 });
    });

    it('after the time-out, however far it has got, nor after a signal', async () => {
      const scene = await start();
      for (const timeoutMs of [30, 60_000]) {
        const key = newKey();
        const abort = new AbortController();
        const options = { secret: newSecret(), timeoutMs, signal: abort.signal };
        const expected = errorOf(() => scene.listener.expect(key, options));
        const socket = await scene.dial();
        socket.write(key);
        if (timeoutMs > 30) {
          await once(socket, 'data');
          abort.abort();
        }
        await bytesUntilClose(socket);
        const code = timeoutMs > 30 ? 'connection_terminated' : 'reverse_unreachable';
        expect((await expected).code).to.equal(code);
      }
      await until(() => scene.listener.counts.open === 0);
    });
  });

  describe('gives nothing to an entry', () => {
    /** A false entry: takes any key, then goes on as the test likes. */
    const falseEntry = async (goOn: (socket: Socket) => void): Promise<Socket> => {
      const running = await listenTcp((socket) => {
        socket.once('data', () => {
          socket.write(Buffer.of(1));
          goOn(socket);
        });
      });
      keep(running);
      return connect(running.port, '127.0.0.1');
    };
    const served = (socket: Socket, options: tls.TlsOptions): void => {
      const server = new tls.TLSSocket(socket, { isServer: true, ...options });
      server.on('error', () => undefined).write('welcome');
    };
    const { certificate, privateKey } = selfSigned();
    const cert = certificate.toString();
    const certified = { cert, key: privateKey.export({ format: 'pem', type: 'pkcs8' }) };

    const entries: Readonly<Record<string, (socket: Socket, key: string) => void>> = {
      'that has a certificate instead': (socket) => served(socket, certified),
      'that has a certificate, up to TLS 1.2': (socket) =>
        served(socket, { ...certified, maxVersion: 'TLSv1.2' }),
      'that has another secret': (socket) => {
        const options: tls.TlsOptions = { pskCallback: () => newSecret() };
        served(socket, options);
      },
      'that has another secret and a certificate': (socket) => {
        const options: tls.TlsOptions = { ...certified, pskCallback: () => null };
        served(socket, options);
      },
      'that speaks no TLS': (socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n'),
      'that falls silent': () => undefined,
      'that ends': (socket) => socket.end(),
    };
    for (const [name, goOn] of Object.entries(entries)) {
      it(name, async () => {
        const key = newKey();
        const socket = await falseEntry((far) => goOn(far, key));
        const timeoutMs = name.includes('silent') ? 50 : 5_000;
        const error = await errorOf(() => presentKey(socket, key, newSecret(), { timeoutMs }));
        expect(error.code).to.equal('reverse_unreachable');
        expect(socket.destroyed).to.equal(true);
      });
    }
  });
});
