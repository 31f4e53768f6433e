// TLS 1.3 with a pre-shared key and nothing else (RFC 8446, section 4.2.11) on a connection that goes past the
// relays: no certificate on either side, a fresh key exchange inside. Who may use which key is the caller's matter.

import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect, createServer, type TLSSocket } from 'node:tls';
import { prepareTlsOverStreams } from '../../common/tls-over-streams.js';
import { NwsError } from '../../errors.js';
import { cut, EndWatch, type Wire } from './end-watch.js';

/** Version and cipher without a choice: an external key is bound to a hash, SHA-256, and both sides are ours. */
const FIXED = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256',
  // No CA is trusted, and a handshake without the pre-shared key could end in no other way than by a certificate.
  ca: [],
} as const satisfies ConnectionOptions;

export type { Wire } from './end-watch.js';

/** Makes the wire; its errors, and a close without an end, go to `failed`, since TLS would not hand them on. */
export type WireMaker = (failed: (error: Error) => void) => Wire;

export interface PskOptions {
  /** PSK identity: the key of the stream. */
  readonly key: string;
  readonly secret: Buffer;
  /** For the handshake, which takes one round trip. */
  readonly timeoutMs: number;
}

/**
 * The server's side of the handshake. On failure the wire is destroyed.
 * @throws NwsError `reverse_unreachable`.
 */
export function secureAsServer(make: WireMaker, options: PskOptions): Promise<TLSSocket> {
  return secure(make, options, (wire, done, fail) => {
    // One for each connection, and so its own ticket keys: what one stream began must not resume as another one.
    const server = createServer({
      ...FIXED,
      pskCallback: (_socket, identity) => (identity === options.key ? options.secret : null),
    });
    server.on('secureConnection', done).on('tlsClientError', fail);
    server.emit('connection', wire);
  });
}

/**
 * The client's side of the handshake. On failure the wire is destroyed.
 * @throws NwsError `reverse_unreachable`.
 */
export function secureAsClient(make: WireMaker, options: PskOptions): Promise<TLSSocket> {
  return secure(make, options, (wire, done, fail) => {
    const tls = connect({
      ...FIXED,
      socket: wire,
      pskCallback: () => ({ psk: options.secret, identity: options.key }),
      // Asked only where the server went on without the pre-shared key.
      checkServerIdentity: () => unproven(),
    });
    tls.on('error', fail).once('secureConnect', () => done(tls));
  });
}

/** Waits for a handshake that `start` begins and that ends in `done` or `fail`; later calls of `fail` are ignored. */
function secure(
  make: WireMaker,
  { timeoutMs }: PskOptions,
  start: (wire: Duplex, done: (tls: TLSSocket) => void, fail: (error: Error) => void) => void,
): Promise<TLSSocket> {
  prepareTlsOverStreams();
  return new Promise((resolve, reject) => {
    let secured: TLSSocket | undefined;
    let watch: EndWatch | undefined;
    const wire = make((error) => {
      if (secured === undefined) fail(error);
      else secured.destroy(error);
    });
    const fail = (error: Error): void => {
      clearTimeout(timer);
      if (secured !== undefined) return;
      wire.destroy();
      reject(failure(error));
    };
    const done = (tls: TLSSocket): void => {
      // Node tells of a broken record and leaves the stream open. Every error is to show as its `close`, too.
      tls.on('error', (error) => tls.destroy(error));
      if (!isProven(tls)) {
        fail(unproven());
        return;
      }
      clearTimeout(timer);
      secured = tls;
      tls.once('close', () => wire.destroy());
      watch = new EndWatch(tls, wire);
      resolve(tls);
    };
    const timer = setTimeout(() => fail(new Error('it took too long')), timeoutMs);
    // Ahead of TLS, which listens later.
    wire.once('end', () => {
      if (watch === undefined) fail(cut());
      else watch.wireEnded();
    });
    start(wire, done, fail);
  });
}

/** Whether the pre-shared key was used (a session by such a key counts as one that is resumed), and nothing else. */
function isProven(tls: TLSSocket): boolean {
  const hasCertificate = tls.getPeerX509Certificate() !== undefined;
  return tls.getProtocol() === 'TLSv1.3' && tls.isSessionReused() && !hasCertificate;
}

function unproven(): Error {
  return new Error('the pre-shared key was not used');
}

function failure(cause: Error): NwsError {
  const { code } = cause as NodeJS.ErrnoException;
  const reason = cause instanceof NwsError ? cause.message : (code ?? cause.message);
  return new NwsError('reverse_unreachable', `the TLS of the connection failed: ${reason}`, {
    cause,
  });
}
