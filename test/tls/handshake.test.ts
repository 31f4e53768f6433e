import { once } from 'node:events';
import { type Duplex, duplexPair } from 'node:stream';
import tls from 'node:tls';
import { expect } from 'chai';
import { NwsError } from '../../src/errors.js';
import { connectPinned, type PinnedOptions } from '../../src/tls/handshake.js';
import { type Pin, pinOf } from '../../src/tls/pins/pin.js';
import { type CertifiedKey, fingerprintOf, validFor } from '../../src/tls/x509/x509.js';
import { selfSigned } from './support.js';

const DAY_MS = 86_400_000;

function pinFor(...certified: CertifiedKey[]): Pin {
  const pem = certified.map(({ certificate }) => certificate.toString()).join('');
  const [pubkey, eventId] = ['1'.repeat(64), '2'.repeat(64)];
  return pinOf({ pubkey, eventId, createdAt: 0, pem, reliable: true });
}

type ExitOptions = Pick<tls.SecureContextOptions, 'maxVersion' | 'minVersion'> & {
  readonly ALPNProtocols?: string[];
};

/** An exit's TLS server on one end of a pipe; what it is sent inside TLS is collected. */
class Exit {
  readonly near: Duplex;
  readonly received: Buffer[] = [];
  readonly socket: tls.TLSSocket;
  readonly #far: Duplex;

  constructor(certified: CertifiedKey, options: ExitOptions = {}) {
    [this.near, this.#far] = duplexPair();
    const key = certified.privateKey.export({ format: 'pem', type: 'pkcs8' });
    const cert = certified.certificate.toString();
    const { ALPNProtocols = [], ...versions } = options;
    const secureContext = tls.createSecureContext({ ...versions, key, cert });
    this.socket = new tls.TLSSocket(this.#far, { isServer: true, ALPNProtocols, secureContext });
    this.socket.on('data', (bytes) => this.received.push(bytes));
    this.socket.on('error', () => undefined);
  }

  close(): void {
    this.socket.destroy();
    this.#far.destroy();
  }
}

describe('connectPinned', () => {
  const certified = selfSigned();
  const exits: Exit[] = [];
  const startExit = (...args: ConstructorParameters<typeof Exit>): Exit => {
    const exit = new Exit(...args);
    exits.push(exit);
    return exit;
  };
  afterEach(() => {
    for (const exit of exits.splice(0)) exit.close();
  });

  const base = { pin: pinFor(certified), servername: 'x.nostr' };
  const refusal = async (stream: Duplex, options: PinnedOptions = base): Promise<NwsError> => {
    const error = await connectPinned(stream, options).then(
      () => expect.fail('should have been refused'),
      (reason: unknown) => reason,
    );
    if (!(error instanceof NwsError)) throw error;
    expect(stream.destroyed).to.equal(true);
    expect(error.hint).to.be.a('string');
    return error;
  };

  it('accepts the pinned certificate and carries bytes both ways', async () => {
    const exit = startExit(certified, { ALPNProtocols: ['http/1.1'] });
    const socket = await connectPinned(exit.near, { ...base, alpn: ['h2', 'http/1.1'] });
    expect(socket.alpnProtocol).to.equal('http/1.1');
    expect(exit.socket.servername).to.equal('x.nostr');
    socket.write('ping');
    await once(exit.socket, 'data');
    exit.socket.write('pong');
    const [answer] = await once(socket, 'data');
    expect(String(answer)).to.equal('pong');
    socket.destroy();
  });

  it('accepts the next certificate of a rotation', async () => {
    const exit = startExit(certified);
    const socket = await connectPinned(exit.near, {
      ...base,
      pin: pinFor(selfSigned(), certified),
    });
    socket.destroy();
  });

  it('refuses another certificate before a byte is sent, and names both', async () => {
    for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
      const other = selfSigned();
      const exit = startExit(other, { maxVersion });
      const error = await refusal(exit.near);
      expect(error.code).to.equal('pin_mismatch');
      expect(error.message).to.include(fingerprintOf(other.certificate));
      expect(error.message).to.include(fingerprintOf(certified.certificate));
      expect(Buffer.concat(exit.received).toString()).to.equal('');
    }
  });

  it('holds a certificate to its dates', async () => {
    const at = (days: number) => new Date(Date.now() + days * DAY_MS);
    const early = await refusal(startExit(certified).near, { ...base, now: at(-2) });
    expect(early.code).to.equal('pin_mismatch');
    expect(early.message).to.include('valid from');
    const late = await refusal(startExit(certified).near, { ...base, now: at(31) });
    expect(late.message).to.include('ended on');
  });

  it('judges a certificate that was expired at birth by the pin alone', async () => {
    const day = new Date(1_700_000_000_000);
    const never = selfSigned({ notBefore: day, notAfter: day });
    const socket = await connectPinned(startExit(never).near, { ...base, pin: pinFor(never) });
    socket.destroy();
    const ended = selfSigned(validFor(30, new Date(1_600_000_000_000)));
    await refusal(startExit(ended).near, { ...base, pin: pinFor(ended) });
  });

  it('works with every name, and sends only names that DNS knows as SNI', async () => {
    const names = {
      'x.nostr.': 'x.nostr',
      [`${'a'.repeat(63)}.nostr`]: `${'a'.repeat(63)}.nostr`,
      [`${'a'.repeat(64)}.nostr`]: false,
      [`${'a.'.repeat(130)}nostr`]: false,
      '192.0.2.1': false,
      '2001:db8::1': false,
      '': false,
    };
    for (const [servername, sni] of Object.entries(names)) {
      const exit = startExit(certified);
      const socket = await connectPinned(exit.near, { ...base, servername });
      socket.write('x');
      await once(exit.socket, 'data');
      expect(exit.socket.servername, servername).to.equal(sni);
      socket.destroy();
    }
  });

  it('says so when the other side speaks no TLS', async () => {
    for (const answer of ['HTTP/1.1 400 Bad Request\r\n\r\n', 'SSH-2.0-OpenSSH_9.6\r\n']) {
      const [near, far] = duplexPair();
      far.write(answer);
      const error = await refusal(near);
      expect(error.code).to.equal('tls_protocol_error');
      expect(error.message).to.include('something else than TLS');
      far.destroy();
    }
  });

  it('refuses TLS below 1.2', async () => {
    const exit = startExit(certified, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1' });
    expect((await refusal(exit.near)).code).to.equal('tls_protocol_error');
  });

  it('ends when the other side closes during the handshake, in whatever way', async () => {
    const endings: ((near: Duplex, far: Duplex) => void)[] = [
      (_near, far) => far.end(),
      (_near, far) => far.end(Buffer.from([22, 3, 3, 0, 100, 2])),
      (near) => near.destroy(),
      (near) => near.destroy(new Error('reset')),
    ];
    for (const ending of endings) {
      const [near, far] = duplexPair();
      far.once('data', () => ending(near, far));
      const error = await refusal(near);
      expect(error.code).to.equal('tls_protocol_error');
      far.destroy();
    }
  });

  it('passes on why the stream failed', async () => {
    const error = new NwsError('connection_refused', 'nobody there', { hint: 'start it' });
    const [near, far] = duplexPair();
    far.once('data', () => near.destroy(error));
    expect(await refusal(near)).to.equal(error);
    far.destroy();
  });

  it('gives up on a stream that had failed before', async () => {
    const error = new NwsError('connection_timeout', 'no answer', { hint: 'wait' });
    for (const reason of [undefined, error]) {
      const [near, far] = duplexPair();
      near.on('error', () => undefined).destroy(reason);
      await new Promise((resolve) => near.once('close', resolve));
      expect((await refusal(near)).code).to.equal(reason?.code ?? 'tls_protocol_error');
      far.destroy();
    }
  });

  it('gives up on an exit that goes silent', async () => {
    const [near, far] = duplexPair();
    const error = await refusal(near, { ...base, timeoutMs: 20 });
    expect(error.code).to.equal('tls_protocol_error');
    expect(error.message).to.include('20 ms');
    far.destroy();
  });

  it('needs no error listener when the stream breaks afterwards, and tells one that is there', async () => {
    const error = new Error('reset');
    for (const isListening of [false, true]) {
      const exit = startExit(certified);
      const socket = await connectPinned(exit.near, base);
      const errors: Error[] = [];
      if (isListening) socket.on('error', (reason) => errors.push(reason));
      const closed = new Promise((resolve) => socket.once('close', resolve));
      exit.near.destroy(error);
      await closed;
      expect(socket.destroyed).to.equal(true);
      expect(errors).to.deep.equal(isListening ? [error] : []);
    }
  });
});
