// The only place where an exit opens connections: resolve, connect and, for https, TLS.
// The target is the operator's own and trusted; whether a stream may go there is policy.ts's matter.

import { isIP, connect as netConnect, type Socket } from 'node:net';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import { NwsError, toNwsError } from '../errors.js';
import { DIAL_TIMEOUT_MS } from '../limits.js';
import { authorityOf, type Target } from './target.js';

export interface DialOptions {
  /** For the connection and for the TLS handshake, each. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Idle time after which the system asks whether the target is still there. */
const KEEP_ALIVE_MS = 60_000;

const HINTS: Readonly<Record<string, string>> = {
  connection_refused: 'nothing listens there: start the target, or check the port in --target',
  connection_timeout: 'the target does not answer: check its address and firewall',
  destination_ip_unroutable: 'this machine has no way to that address',
  dns_error: 'the name in --target does not resolve on this machine',
  dns_timeout: 'the name server of this machine does not answer',
  tls_certificate_error: 'for a private CA, start the exit with NODE_EXTRA_CA_CERTS set to it',
  tls_protocol_error: 'does the target speak TLS? if not, use http:// in --target',
};

/**
 * Connects to a target by TCP.
 * @throws NwsError `connection_refused`, `connection_timeout`, `dns_error`, …; `connection_terminated`
 * when given up by `signal`.
 */
export async function dial(target: Target, options: DialOptions = {}): Promise<Socket> {
  const { host, port } = target;
  const socket = netConnect({
    host,
    port,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
  });
  return ready(socket, 'connect', target, options);
}

/**
 * Connects to an http or https target; TLS checks the target's certificate against this machine's CAs.
 * @throws NwsError as `dial`, `tls_certificate_error` and `tls_protocol_error`.
 */
export async function dialHttp(target: Target, options: DialOptions = {}): Promise<Socket> {
  const socket = await dial(target, options);
  if (target.kind !== 'https') return socket;
  const { host } = target;
  const servername = isIP(host) === 0 ? host : '';
  const secure = tlsConnect({ socket, host, servername, ALPNProtocols: ['http/1.1'] });
  return ready(secure, 'secureConnect', target, options);
}

/** Waits for an event of a fresh socket; on failure, time-out or abort the socket is destroyed. */
function ready<S extends Socket | TLSSocket>(
  socket: S,
  event: 'connect' | 'secureConnect',
  target: Target,
  { timeoutMs = DIAL_TIMEOUT_MS, signal }: DialOptions,
): Promise<S> {
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.off('error', settle).off('close', onClose).off(event, onReady);
      if (error === undefined) {
        resolve(socket);
        return;
      }
      socket.on('error', () => undefined).destroy();
      reject(dialError(error, target, event === 'secureConnect'));
    };
    const onReady = (): void => settle();
    const onClose = (): void => settle(new Error('the target closed the connection'));
    const onAbort = (): void => settle(new NwsError('connection_terminated', 'given up'));
    const onTimeout = (): void => settle(new NwsError('connection_timeout', 'no answer in time'));
    const timer = setTimeout(onTimeout, timeoutMs);
    socket.on('error', settle).on('close', onClose).on(event, onReady);
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted) onAbort();
  });
}

function dialError(cause: unknown, target: Target, inTls: boolean): NwsError {
  const { code, message } = inTls ? tlsError(cause) : toNwsError(cause, 'destination_unavailable');
  const hint = HINTS[code];
  const reason = (cause as NodeJS.ErrnoException).code ?? message;
  const where = authorityOf(target);
  return new NwsError(code, `cannot reach the target ${where}: ${reason}`, { hint, cause });
}

function tlsError(cause: unknown): NwsError {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  // OpenSSL's verification results and Node's check of the name, as opposed to protocol errors.
  const isCertificate = /CERT|^ERR_TLS_CERT|VERIFY|ISSUER/.test(code);
  return toNwsError(cause, isCertificate ? 'tls_certificate_error' : 'tls_protocol_error');
}
