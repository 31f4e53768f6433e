// The only place where an exit opens connections: to its own target, which is trusted, with TLS for https;
// and to where a stranger wants to go, each address judged (policy.ts) right before it is dialled.

import { isIP, connect as netConnect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import { connectHost, firstConnected, inTurn } from '../../common/connect-host.js';
import { formatAddress, parseAddress } from '../../common/net/addresses.js';
import { within } from '../../common/waiting.js';
import { NwsError, OPEN_FILES_HINT, toNwsError } from '../../errors.js';
import { DIAL_TIMEOUT_MS } from '../../limits.js';
import { authorityOf, type Target } from '../targets/target.js';
import { type Resolve, resolveAll } from './resolve-all.js';

export interface DialOptions {
  /** For the connection and for the TLS handshake, each. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface GuardedDialOptions {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Throws for an address that must not be dialled; asked right before each attempt. */
  readonly judge: (address: string) => void;
  readonly signal?: AbortSignal;
  /** For everything together: resolving and all attempts. */
  readonly timeoutMs?: number;
  /** Default: this machine's resolver. */
  readonly resolve?: Resolve;
  /** Begins a connection to an address; default: TCP. */
  readonly connect?: (address: string, port: number) => Socket;
}

/** Idle time after which the system asks whether the target is still there. */
const KEEP_ALIVE_MS = 60_000;
const HINTS: Readonly<Record<string, string>> = {
  connection_limit_reached: OPEN_FILES_HINT,
  connection_refused: 'nothing listens there: start the target, or check the port in --target',
  connection_timeout: 'the target does not answer: check its address and firewall',
  destination_ip_unroutable: 'this machine has no way to that address',
  dns_error: 'the name in --target does not resolve on this machine',
  dns_timeout: 'the name server of this machine does not answer',
  tls_certificate_error:
    'for a certificate of its own give --target-fingerprint, for a private CA --target-ca, for another name --target-name',
  tls_protocol_error: 'does the target speak TLS? if not, use http:// in --target',
};

const HTTP2_ALONE =
  'it speaks HTTP/2 alone, so only clients of HTTP/2 can use it: let it offer http/1.1 by ALPN, too';

/**
 * Connects to a target by TCP.
 * @throws NwsError `connection_refused`, `connection_timeout`, `dns_error`, …; `connection_terminated`
 * when given up by `signal`.
 */
export async function dial(target: Target, options: DialOptions = {}): Promise<Socket> {
  const { host, port } = target;
  const { timeoutMs = DIAL_TIMEOUT_MS, signal = new AbortController().signal } = options;
  const late = new NwsError('connection_timeout', 'no answer in time');
  try {
    return await within(timeoutMs, late, signal, (limited) =>
      connectHost({ host, port, signal: limited, connect: connectTcp }),
    );
  } catch (error) {
    const givenUp = new NwsError('connection_terminated', 'given up');
    throw targetError(signal.aborted ? givenUp : error, target, false);
  }
}

/**
 * Connects to an http, h2c or https target, in the first protocol of `alpn` that it speaks; TLS checks the
 * target's certificate against this machine's CAs, or as the target's `trust` says.
 * @throws NwsError as `dial`, `tls_certificate_error` and `tls_protocol_error`.
 */
export async function dialHttp(
  target: Target,
  { alpn = ['http/1.1'], ...options }: DialOptions & { alpn?: string[] } = {},
): Promise<Duplex> {
  if (target.open !== undefined) return target.open();
  const socket = await dial(target, options);
  if (target.kind !== 'https') return socket;
  const { host, trust = {} } = target;
  const name = trust.name ?? host;
  const secure = tlsConnect({
    socket,
    host: name,
    servername: isIP(name) === 0 ? name : '',
    ALPNProtocols: alpn,
    ...(trust.ca !== undefined && { ca: trust.ca }),
    rejectUnauthorized: trust.fingerprint === undefined,
  });
  const toError = (cause: unknown): NwsError => targetError(cause, target, true);
  await ready(secure, 'secureConnect', toError, options);
  if (trust.fingerprint !== undefined) demandFingerprint(secure, trust.fingerprint, target);
  return secure;
}

/** @throws NwsError `tls_certificate_error` for any other certificate than the one that the operator named. */
function demandFingerprint(secure: TLSSocket, fingerprint: string, target: Target): void {
  const shown = secure.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase();
  if (shown === fingerprint) return;
  secure.destroy();
  const message = `the target ${authorityOf(target)} shows another certificate: ${shown}`;
  throw new NwsError('tls_certificate_error', message, {
    hint: 'if it was renewed, give its new SHA-256 by --target-fingerprint',
  });
}

/**
 * Connects by TCP to a destination that a stranger chose. The name is resolved once, and only addresses
 * that were judged are dialled: a name that resolves otherwise a moment later leads nowhere else. Several
 * addresses are tried in turn, the next one when an attempt fails or takes long.
 * @throws NwsError what `judge` throws where it lets no address pass; `dns_error`, `dns_timeout`,
 * `connection_refused`, `connection_timeout`, …; `connection_terminated` when given up by `signal`.
 */
export async function dialGuarded(options: GuardedDialOptions): Promise<Socket> {
  const { host, signal, timeoutMs = DIAL_TIMEOUT_MS, resolve = resolveAll } = options;
  const over = new AbortController();
  let late = new NwsError('dns_timeout', `no name server answers for ${host} in time`);
  const timer = setTimeout(() => over.abort(late), timeoutMs);
  const onAbort = (): void => over.abort(new NwsError('connection_terminated', 'given up'));
  signal?.addEventListener('abort', onAbort);
  if (signal?.aborted) onAbort();
  try {
    over.signal.throwIfAborted();
    const found = isIP(host) === 0 ? await unlessOver(resolve(host), over.signal) : [host];
    late = new NwsError('connection_timeout', `${placeOf(options)} does not answer in time`);
    return await firstConnected(candidates(found), (address) => attempt(address, options, over));
  } catch (error) {
    throw over.signal.aborted ? over.signal.reason : errorOfAll(error, options);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    over.abort();
  }
}

/** Canonical addresses, so that each is tried once. */
function candidates(found: readonly string[]): string[] {
  const canonical = found.map((text) => {
    const bytes = parseAddress(text);
    return bytes === undefined ? text : formatAddress(bytes);
  });
  return inTurn(canonical);
}

/** One address: judged, dialled, and held to be the one that was judged. The first one ends the others. */
async function attempt(
  address: string,
  options: GuardedDialOptions,
  over: AbortController,
): Promise<Socket> {
  over.signal.throwIfAborted();
  options.judge(address);
  // Whatever the judge says: a text that isn't plainly an address would be resolved once more.
  if (parseAddress(address) === undefined) throw prohibited();
  const { timeoutMs, connect = connectTcp } = options;
  const toError = (cause: unknown): NwsError => guardedError(cause, options);
  const limits = { signal: over.signal, ...(timeoutMs !== undefined && { timeoutMs }) };
  const socket = await ready(connect(address, options.port), 'connect', toError, limits);
  const reached = parseAddress(socket.remoteAddress ?? '');
  const isRight = reached !== undefined && formatAddress(reached) === address;
  if (isRight && !over.signal.aborted) {
    over.abort();
    return socket;
  }
  socket.on('error', () => undefined).destroy();
  throw reached === undefined || isRight ? guardedError(closed(), options) : prohibited();
}

function connectTcp(host: string, port: number): Socket {
  return netConnect({
    host,
    port,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
  });
}

/** Waits for an event of a fresh socket; on failure, time-out or abort the socket is destroyed. */
function ready<S extends Socket | TLSSocket>(
  socket: S,
  event: 'connect' | 'secureConnect',
  toError: (cause: unknown) => NwsError,
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
      reject(toError(error));
    };
    const onReady = (): void => settle();
    const onClose = (): void => settle(closed());
    const onAbort = (): void => settle(new NwsError('connection_terminated', 'given up'));
    const onTimeout = (): void => settle(new NwsError('connection_timeout', 'no answer in time'));
    const timer = setTimeout(onTimeout, timeoutMs);
    socket.on('error', settle).on('close', onClose).on(event, onReady);
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted) onAbort();
  });
}

/** The result, or the signal's reason if that comes first. */
function unlessOver<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    result.then(resolve, reject);
  });
}

function closed(): Error {
  return new Error('the target closed the connection');
}

function prohibited(): NwsError {
  return new NwsError('destination_ip_prohibited', 'this exit does not serve that destination');
}

/** What to say where every attempt failed: of a connection rather than of an address that is closed. */
function errorOfAll(error: unknown, options: GuardedDialOptions): NwsError {
  if (!(error instanceof AggregateError)) return toNwsError(error, 'dns_error');
  const errors = error.errors.map((each) => toNwsError(each));
  const none = new NwsError('dns_error', `${options.host} has no address`);
  return errors.find(({ code }) => code !== 'destination_ip_prohibited') ?? errors[0] ?? none;
}

/** Without the system's own text, which has the address: who asks by name need not learn it. */
function guardedError(cause: unknown, options: GuardedDialOptions): NwsError {
  const { code, message } = toNwsError(cause, 'destination_unavailable');
  const { code: errno } = cause as NodeJS.ErrnoException;
  const reason = cause instanceof NwsError ? message : (errno ?? 'no connection');
  return new NwsError(code, `cannot reach ${placeOf(options)}: ${reason}`, { cause });
}

function placeOf({ host, port }: GuardedDialOptions): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function targetError(cause: unknown, target: Target, inTls: boolean): NwsError {
  const { code, message } = inTls ? tlsError(cause) : toNwsError(cause, 'destination_unavailable');
  const { code: errno = '' } = cause as NodeJS.ErrnoException;
  const hint = errno.endsWith('NO_APPLICATION_PROTOCOL') ? HTTP2_ALONE : HINTS[code];
  const reason = code === 'connection_limit_reached' ? message : errno || message;
  const where = authorityOf(target);
  return new NwsError(code, `cannot reach the target ${where}: ${reason}`, { hint, cause });
}

function tlsError(cause: unknown): NwsError {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  // OpenSSL's verification results and Node's check of the name, as opposed to protocol errors.
  const isCertificate = /CERT|^ERR_TLS_CERT|VERIFY|ISSUER/.test(code);
  return toNwsError(cause, isCertificate ? 'tls_certificate_error' : 'tls_protocol_error');
}
