// Connections to targets, and what is said when there is none.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createServer } from 'node:tls';
import { expect } from 'chai';
import { NwsError } from '../../../src/errors.js';
import { dial, dialHttp } from '../../../src/exit/dial/dial.js';
import { parseTarget } from '../../../src/exit/targets/target.js';
import { newKeyPair, serverCertificate, validFor } from '../../../src/tls/x509/x509.js';
import { deadPort, listen, listenTcp } from '../../support/servers.js';

async function failure(act: Promise<unknown>): Promise<NwsError> {
  const error: unknown = await act.then(
    () => expect.fail('it connected'),
    (cause: unknown) => cause,
  );
  if (!(error instanceof NwsError)) throw error;
  return error;
}

function ended(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.once('end', resolve).once('close', resolve).resume());
}

describe('exit/dial', () => {
  it('connects, and leaves half-close to both sides', async () => {
    const running = await listenTcp((socket) => socket.pipe(socket));
    const socket = await dial(parseTarget(`tcp://127.0.0.1:${running.port}`));
    expect(socket.allowHalfOpen).to.equal(true);
    socket.end('echo');
    expect(String((await once(socket, 'data'))[0])).to.equal('echo');
    await once(socket, 'close');
    await running.close();
  });

  it('says that nothing listens, and where', async () => {
    const port = await deadPort();
    for (const host of ['127.0.0.1', 'localhost']) {
      const error = await failure(dial(parseTarget(`tcp://${host}:${port}`)));
      expect(error.code).to.equal('connection_refused');
      expect(error.message).to.contain(`${host}:${port}`);
      expect(error.hint).to.contain('--target');
    }
  });

  it('says that a name does not resolve, here one that no name server is asked for', async () => {
    const error = await failure(dial(parseTarget(`tcp://${'a'.repeat(64)}:1`)));
    expect(error.code).to.be.oneOf(['dns_error', 'dns_timeout']);
  });

  it('gives up in time and on demand, and leaves no socket', async () => {
    // TLS toward a server that says nothing: the connection stands, the handshake does not end.
    const running = await listenTcp(() => undefined);
    const target = parseTarget(`https://127.0.0.1:${running.port}`);
    expect((await failure(dialHttp(target, { timeoutMs: 50 }))).code).to.equal(
      'connection_timeout',
    );
    const leave = new AbortController();
    const given = failure(dialHttp(target, { signal: leave.signal }));
    running.server.once('connection', () => leave.abort());
    expect((await given).code).to.equal('connection_terminated');
    const { signal } = leave;
    expect((await failure(dial(target, { signal }))).code).to.equal('connection_terminated');
    await Promise.all([...running.sockets].map(ended));
    await running.close();
  });

  it('refuses a certificate that nobody vouches for, and a server without TLS', async () => {
    const keys = newKeyPair();
    const certificate = serverCertificate(
      { ...validFor(1), names: ['localhost'], publicKey: keys.publicKey },
      keys,
    );
    const key = keys.privateKey.export({ format: 'pem', type: 'pkcs8' });
    const secure = await listen(createServer({ cert: certificate.toString(), key }));
    const error = await failure(dialHttp(parseTarget(`https://localhost:${secure.port}`)));
    expect(error.code).to.equal('tls_certificate_error');
    expect(error.hint).to.contain('--target-ca');
    await secure.close();
    const plain = await listenTcp((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const other = await failure(dialHttp(parseTarget(`https://127.0.0.1:${plain.port}`)));
    expect(other.code).to.equal('tls_protocol_error');
    await plain.close();
  });
});
