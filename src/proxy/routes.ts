// Which way a request to the port goes: CONNECT, by HTTP or SOCKS, a request to forward, or one for the proxy itself.
// Where clients have to say who they are (auth.ts), nothing goes anywhere before they have.

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { NwsError, toNwsError } from '../errors.js';
import { type Authenticator, demandAuth, demandAuthRaw } from '../http/auth/auth.js';
import { type AbsoluteTarget, isLoopbackHost, parseAbsoluteForm } from '../http/host-port.js';
import { replyFailure, replyFailureRaw } from '../http/reply.js';
import type { StatusPages } from '../status/serving/pages.js';
import type { Entry } from './entry.js';
import type { Handlers } from './listener.js';
import { serveSocks } from './socks/socks.js';
import { ignoreErrors } from './streams.js';
import type { Forwarder } from './ways/absolute-form.js';
import { handleConnect } from './ways/connect.js';

/** @param authenticator without it, whoever reaches the port may use it */
export function routes(
  entry: Entry,
  forwarder: Forwarder,
  pages: StatusPages,
  authenticator?: Authenticator,
): Handlers {
  return {
    onSocks: (client, head) => serveSocks({ entry, authenticator }, client, head),
    onConnect(req, client, head) {
      ignoreErrors(client);
      const serve = (): void => void handleConnect(entry, req.url ?? '', client, head);
      admit(authenticator, req, serve, () => demandAuthRaw(req, client));
    },
    onRequest(req, res) {
      const serve = (): void => {
        try {
          const target = parseAbsoluteForm(req.url ?? '');
          if (target === undefined) pages.serve(req.url ?? '', req.headers.host, req, res);
          else if (isOurs(target, req.socket)) pages.serve(target.path, target.authority, req, res);
          else forwarder.request(target, req, res);
        } catch (error) {
          replyFailure(res, toNwsError(error));
        }
      };
      // The proxy's own pages are open to this machine; a browser wouldn't send it a proxy's password.
      const gate = isFromHere(req) && isOriginForm(req) ? undefined : authenticator;
      admit(gate, req, serve, () => demandAuth(res));
    },
    onUpgrade(req, client, head) {
      ignoreErrors(client);
      const serve = (): void => {
        try {
          const target = parseAbsoluteForm(req.url ?? '');
          if (target === undefined || isOurs(target, client)) throw nothingToUpgrade();
          forwarder.upgrade(target, req, client, head);
        } catch (error) {
          replyFailureRaw(client, toNwsError(error), req.headers.accept);
        }
      };
      admit(authenticator, req, serve, () => demandAuthRaw(req, client));
    },
  };
}

function admit(
  authenticator: Authenticator | undefined,
  req: IncomingMessage,
  serve: () => void,
  refuse: () => void,
): void {
  if (authenticator === undefined) serve();
  else void authenticator.admits(req).then((isAdmitted) => (isAdmitted ? serve() : refuse()));
}

function isOriginForm(req: IncomingMessage): boolean {
  return req.url?.startsWith('/') ?? false;
}

function isFromHere({ socket }: IncomingMessage): boolean {
  return isLoopbackHost((socket.remoteAddress ?? '').replace(/^::ffff:/, ''));
}

/** A request that would come straight back here. */
function isOurs({ host, port }: AbsoluteTarget, { localAddress, localPort }: Socket): boolean {
  return port === localPort && (isLoopbackHost(host) || host === localAddress);
}

function nothingToUpgrade(): NwsError {
  return new NwsError('http_request_error', 'the proxy itself has nothing to upgrade to', {
    hint: 'a WebSocket through the proxy is asked for by CONNECT, or by its whole URL',
  });
}
