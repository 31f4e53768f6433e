// How ws and node:http reach a relay without a proxy between: every address of its name gets its chance, and all of it,
// resolving included, has one time-out.
import type { ClientRequestArgs } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as tlsConnect } from 'node:tls';
import { connectHost } from '../../common/connect-host.js';

type OnCreate = (error: Error | null, socket: Duplex) => void;
export type CreateConnection = (options: ClientRequestArgs, onCreate: OnCreate) => undefined;

/** @param signal ends the attempt; once connected, the socket is its user's */
export function createConnectionWith(secure: boolean, signal: AbortSignal): CreateConnection {
  return (options, onCreate) => {
    const host = String(options.host ?? 'localhost');
    const port = Number(options.port ?? (secure ? 443 : 80));
    connectHost({ host, port, signal }).then(
      (socket) => {
        if (!secure) return onCreate(null, socket);
        const servername = isIP(host) === 0 ? host : '';
        onCreate(null, tlsConnect({ socket, servername, ALPNProtocols: ['http/1.1'] }));
      },
      // The types know no callback without a socket.
      (error: Error) => (onCreate as (error: Error) => void)(inWords(error)),
    );
    return undefined;
  };
}

function inWords(error: Error): Error {
  return error.name === 'TimeoutError'
    ? new Error('no address of the relay answers in time')
    : error;
}
