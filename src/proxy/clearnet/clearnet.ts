// CONNECT to a host of the clear web: dialled from here or through an upstream proxy, reached through an exit, or
// refused by settings.

import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connectHost } from '../../common/connect-host.js';
import { within } from '../../common/waiting.js';
import { NwsError, toNwsError } from '../../errors.js';
import { formatHostPort, type HostPort } from '../../http/host-port.js';
import { DIAL_TIMEOUT_MS } from '../../limits.js';
import { type Caller, passOn } from '../caller.js';
import type { Entry } from '../entry.js';
import { endWith } from '../streams.js';
import { connectThrough } from './upstream.js';

/**
 * Answers 200 when the host has accepted the connection.
 * @throws NwsError `http_request_denied` by settings, else why the host can't be reached.
 */
export async function connectClearnet(entry: Entry, caller: Caller): Promise<void> {
  if (entry.clearnet === 'deny') throw clearnetDenied(caller.at.host);
  const { at, signal } = caller;
  const isDirect = entry.clearnet === 'direct';
  const upstream = await (isDirect ? reach(entry, at, signal) : throughExit(entry, at, signal));
  caller.accept();
  passOn(entry, caller, upstream);
}

/**
 * A connection through an exit, which ends with the signal. Nothing is resolved or dialled here.
 * @throws NwsError as ExitChooser.open().
 */
export async function throughExit(
  { exits }: Entry,
  to: HostPort,
  signal: AbortSignal,
): Promise<Duplex> {
  if (exits === undefined) {
    throw new NwsError('bad_config', 'this proxy knows no way to find an exit');
  }
  return endWith(await exits.open(to, signal), signal);
}

/** The refusal of hosts that aren't `.nostr`. */
export function clearnetDenied(host: string): NwsError {
  return new NwsError('http_request_denied', `${host} is not a .nostr host`, {
    hint: 'this proxy serves .nostr alone; start it with --clearnet direct or exit to let it reach others',
  });
}

/** What is inside a CONNECT doesn't show: port 80 is taken for http, all else for https. */
function reach({ upstreamFor }: Entry, to: HostPort, signal: AbortSignal): Promise<Socket> {
  const proxy = upstreamFor?.({ isSecure: to.port !== 80, ...to });
  return proxy === undefined ? dial(to, signal) : connectThrough(proxy, to, signal);
}

/**
 * A TCP connection of our own, which ends with the signal.
 * @throws NwsError `connection_refused`, `connection_timeout`, `dns_error`, … with the place.
 */
export async function dial(to: HostPort, signal: AbortSignal): Promise<Socket> {
  const { host, port } = to;
  const connectTo = (address: string): Socket =>
    connect({ host: address, port, allowHalfOpen: true, noDelay: true });
  try {
    const socket = await within(DIAL_TIMEOUT_MS, timedOut(to), signal, (limited) =>
      connectHost({ host, port, signal: limited, connect: connectTo }),
    );
    return endWith(socket, signal);
  } catch (error) {
    throw unreachable(to, toNwsError(error, 'destination_unavailable'));
  }
}

function timedOut(to: HostPort): NwsError {
  return new NwsError('connection_timeout', `${formatHostPort(to)} did not answer`);
}

/** The reason with the place. */
function unreachable(to: HostPort, error: NwsError): NwsError {
  if (error.cause === undefined) return error;
  const message = `can't connect to ${formatHostPort(to)}: ${error.message}`;
  return new NwsError(error.code, message, { cause: error });
}
