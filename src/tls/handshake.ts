// The proxy's own TLS handshake with an exit, over any stream: one certificate is accepted, the pinned one.
// Finding the pin is pins.ts's matter; what to tell the client when this fails is the proxy's.

import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { tlsOver } from '../common/tls-over-streams.js';
import { NwsError } from '../errors.js';
import type { Pin } from './pins/pin.js';
import { fingerprintOf } from './x509/x509.js';

/** How long a handshake may take: several round trips over slow relays. */
const HANDSHAKE_TIMEOUT_MS = 20_000;

/** A TLS session whose handshake has shown a pinned certificate. */
export interface PinnedSession {
  readonly fingerprint: string;
  readonly ticket: Buffer;
}

export interface PinnedOptions {
  readonly pin: Pin;
  /** For SNI; left out where it is no name that DNS knows. */
  readonly servername: string;
  readonly alpn?: readonly string[];
  /** Of an earlier connection under the same pin: it spares the exit a signature, and relays the certificate. */
  readonly session?: PinnedSession | undefined;
  /** Gets sessions for later, each instead of the one before. */
  readonly onSession?: ((session: PinnedSession) => void) | undefined;
  readonly timeoutMs?: number;
  /** The time to hold the certificate's dates against. */
  readonly now?: Date;
}

/**
 * Runs the handshake and resolves when the certificate is, byte for byte, one of the pin's and, unless it
 * was expired at birth, within its dates. On failure the stream is destroyed and no application byte
 * was sent. An error after that shows as the socket's `close`, too: it needs no `error` listener.
 * @throws NwsError `pin_mismatch`; `tls_protocol_error` when the other side speaks no TLS, closes or
 *   takes too long; the stream's own NwsError when the stream failed.
 */
export function connectPinned(stream: Duplex, options: PinnedOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    let streamError: unknown;
    const settings = {
      servername: sniOf(options.servername),
      ...(options.alpn?.length && { ALPNProtocols: [...options.alpn] }),
      minVersion: 'TLSv1.2' as const,
      ...(options.session && { session: options.session.ticket }),
      // No CA knows the certificate; it is compared below, before anything is sent. That the other side
      // holds its key is proven by the handshake itself (CertificateVerify in TLS 1.3, the signed key
      // exchange in 1.2), which OpenSSL checks whatever is said here. To resume a session proves to be who
      // has shown the certificate of its first handshake (RFC 8446, section 2.2), which is compared again.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    };
    const socket = tlsOver(stream, (below) => connect({ ...settings, socket: below }));
    const timeoutMs = options.timeoutMs ?? HANDSHAKE_TIMEOUT_MS;
    const timer = setTimeout(() => {
      fail(protocolError(`did not finish the TLS handshake within ${timeoutMs} ms`));
    }, timeoutMs);
    const onStreamError = (error: unknown) => {
      streamError = error;
    };
    const onError = (error: Error) => fail(failureOf(streamError ?? error));
    const onClose = () => fail(failureOf(streamError));
    const settle = () => {
      clearTimeout(timer);
      stream.off('error', onStreamError).off('close', onClose);
      socket.off('error', onError).off('close', onClose).off('secureConnect', onSecure);
      // Whoever gets the socket may listen too; a peer's reset must never be an uncaught error.
      socket.on('error', () => undefined);
    };
    const fail = (error: NwsError) => {
      settle();
      stream.on('error', () => undefined);
      socket.destroy();
      stream.destroy();
      reject(error);
    };
    const onSecure = () => {
      const fingerprint = certificateOf(socket, options);
      const objection = objectionTo(fingerprint, options);
      if (objection !== undefined) return fail(objection);
      settle();
      socket.on('session', (ticket) => options.onSession?.({ fingerprint: fingerprint!, ticket }));
      resolve(socket);
    };
    stream.on('error', onStreamError).on('close', onClose);
    socket.on('error', onError).on('close', onClose).on('secureConnect', onSecure);
    // Its `close` may lie in the past.
    if (stream.destroyed) fail(failureOf(stream.errored));
  });
}

/** Fingerprint of what the peer has shown, now or in the handshake that this session comes from. */
function certificateOf(socket: TLSSocket, { session }: PinnedOptions): string | undefined {
  if (socket.isSessionReused()) return session?.fingerprint;
  const served = socket.getPeerX509Certificate();
  return served && fingerprintOf(served);
}

/** Why a certificate is not accepted, or undefined. */
function objectionTo(
  fingerprint: string | undefined,
  options: PinnedOptions,
): NwsError | undefined {
  if (fingerprint === undefined) return mismatch('no certificate');
  const { pin, now = new Date() } = options;
  const pinned = pin.certificates.find((certificate) => certificate.fingerprint === fingerprint);
  if (pinned === undefined) {
    return mismatch(
      `certificate ${fingerprint}, but its certificate event names ${pin.fingerprints.join(' or ')}`,
    );
  }
  if (pinned.expiredAtBirth) return undefined;
  if (now < pinned.notBefore) {
    return mismatch(`a certificate that is valid from ${pinned.notBefore.toISOString()} only`);
  }
  if (now > pinned.notAfter) {
    return mismatch(`a certificate that ended on ${pinned.notAfter.toISOString()}`);
  }
  return undefined;
}

function mismatch(what: string): NwsError {
  return new NwsError('pin_mismatch', `the exit serves ${what}`, {
    hint: 'the exit has to publish the certificate that it serves; if it did, somebody is in between',
  });
}

function failureOf(error: unknown): NwsError {
  if (error instanceof NwsError) return error;
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return protocolError('answers with something else than TLS', error);
  }
  if (code?.endsWith('NO_APPLICATION_PROTOCOL')) {
    return new NwsError('tls_protocol_error', 'the exit speaks none of the client’s protocols', {
      hint: 'an exit of an earlier version knows HTTP/1.1 alone',
      cause: error,
    });
  }
  if (code?.startsWith('ERR_SSL_')) return protocolError(`fails the TLS handshake: ${code}`, error);
  return protocolError('closed the connection during the TLS handshake', error);
}

function protocolError(what: string, cause?: unknown): NwsError {
  return new NwsError('tls_protocol_error', `the exit ${what}`, {
    hint: 'does its target speak TLS? a plain service is reached without https',
    cause,
  });
}

/**
 * The name to send as SNI. Addresses are not allowed there (RFC 6066, section 3), and some TLS stacks end
 * the handshake over labels beyond 63 characters: without SNI they serve their only certificate.
 */
function sniOf(servername: string): string {
  const name = servername.replace(/\.$/, '');
  const isDnsName = name.length <= 253 && name.split('.').every((label) => label.length <= 63);
  return isDnsName && isIP(name) === 0 ? name : '';
}
