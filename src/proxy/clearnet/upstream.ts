// Hosts of the clear web through another proxy, as a company has one: a connection to it, and CONNECT.
// Its URL may hold a password: errors and the log name its host and port alone.

import { type IncomingMessage, request } from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { NwsError, toNwsError } from '../../errors.js';
import { formatHostPort, type HostPort } from '../../http/host-port.js';
import { ADDRESS_ATTEMPT_MS, MAX_HEADER_BYTES } from '../../limits.js';
import { endWith } from '../streams.js';

/** How long it may take to be reached and, for CONNECT, to reach the host: it waits for others in turn. */
const UPSTREAM_TIMEOUT_MS = 30_000;

/** A connection to the proxy itself, for requests in absolute form. */
export async function connectProxy(proxy: URL, signal: AbortSignal): Promise<Socket> {
  const host = proxy.hostname.replace(/^\[|\]$/g, '');
  const isSecure = proxy.protocol === 'https:';
  const port = Number(proxy.port) || (isSecure ? 443 : 80);
  const base = {
    ...{ host, port, allowHalfOpen: true, noDelay: true },
    ...{ autoSelectFamily: true, autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS },
  };
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const socket = isSecure
    ? connectTls({ ...base, ...servername, ALPNProtocols: ['http/1.1'] })
    : connect(base);
  endWith(socket, signal);
  const ready = isSecure ? 'secureConnect' : 'connect';
  await inTime(proxy, socket, (done, fail) => {
    const closed = (): void => fail(new Error('the connection was closed'));
    socket.once('error', fail).once('close', closed);
    socket.once(ready, () => {
      socket.off('error', fail).off('close', closed);
      done(undefined);
    });
  });
  return socket;
}

/**
 * A connection to a host, through the proxy by CONNECT.
 * @throws NwsError for a proxy that can't be reached, or that refuses
 */
export async function connectThrough(
  proxy: URL,
  to: HostPort,
  signal: AbortSignal,
): Promise<Socket> {
  const socket = await connectProxy(proxy, signal);
  const authority = formatHostPort(to);
  const login = proxyAuthorization(proxy);
  try {
    const answer = await inTime<IncomingMessage>(proxy, socket, (done, fail) => {
      const asked = request({
        createConnection: () => socket,
        method: 'CONNECT',
        path: authority,
        headers: {
          Host: authority,
          Connection: 'keep-alive',
          ...(login !== undefined && { 'Proxy-Authorization': login }),
        },
        maxHeaderSize: MAX_HEADER_BYTES,
      });
      asked.once('error', fail);
      asked.once('connect', (head, _socket, early: Buffer) => {
        if (early.length > 0) socket.unshift(early);
        done(head);
      });
      asked.end();
    });
    const refused = refusal(proxy, answer, authority);
    if (refused !== undefined) throw refused;
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** What the proxy wants to know of us, by its URL; undefined where that names nobody. */
export function proxyAuthorization({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  const login = `${decoded(username)}:${decoded(password)}`;
  return `Basic ${Buffer.from(login).toString('base64')}`;
}

/** A 407 to a request in absolute form is about our login: handed on, the client would take it for its own. */
export function loginRefused(proxy: URL, status: number | undefined): NwsError | undefined {
  if (status !== 407) return undefined;
  const isGiven = proxyAuthorization(proxy) !== undefined;
  const wants = isGiven ? 'does not take this user and password' : 'wants a user and a password';
  return new NwsError('destination_unavailable', `${named(proxy)} ${wants} (407)`, {
    hint: 'say them in the proxy variable: HTTPS_PROXY=http://user:password@host:port, the same for HTTP_PROXY',
  });
}

function refusal(proxy: URL, answer: IncomingMessage, to: string): NwsError | undefined {
  const { statusCode: status = 502, statusMessage = '' } = answer;
  if (status >= 200 && status < 300) return undefined;
  const reason = statusMessage.replace(/[^\x20-\x7e]/g, '').slice(0, 80);
  const said = `${status} ${reason}`.trim();
  const code =
    status === 403
      ? 'http_request_denied'
      : status === 504
        ? 'connection_timeout'
        : 'destination_unavailable';
  return (
    loginRefused(proxy, status) ??
    new NwsError(code, `${named(proxy)} answered ${said} to CONNECT ${to}`, { hint: HINT })
  );
}

const HINT =
  'check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY; hosts in NO_PROXY are reached without that proxy';

/** Runs a step of a connection; whatever goes wrong in it is about the proxy. */
function inTime<T>(
  proxy: URL,
  socket: Socket,
  step: (done: (value: T) => void, fail: (error: Error) => void) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const fail = (error: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(unreachable(proxy, socket, error));
    };
    const timer = setTimeout(() => {
      const message = `no answer within ${UPSTREAM_TIMEOUT_MS / 1000} s`;
      fail(new NwsError('connection_timeout', message));
    }, UPSTREAM_TIMEOUT_MS);
    step((value) => {
      clearTimeout(timer);
      resolve(value);
    }, fail);
  });
}

function unreachable(proxy: URL, socket: Socket, error: Error): NwsError {
  if (socket instanceof TLSSocket && socket.authorizationError) {
    const message = `can't trust ${named(proxy)}: ${error.message}`;
    const hint = 'name the CA of its certificate in NODE_EXTRA_CA_CERTS';
    return new NwsError('tls_certificate_error', message, { hint, cause: error });
  }
  // Several addresses may have failed, each with an error of its own.
  const first = error instanceof AggregateError ? (error.errors[0] as Error) : error;
  const { code, message } = toNwsError(first, 'destination_unavailable');
  return new NwsError(code, `can't use ${named(proxy)}: ${message}`, { hint: HINT, cause: first });
}

function named(proxy: URL): string {
  return `the upstream proxy ${proxy.host}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a password with a bare % in it
  }
}
