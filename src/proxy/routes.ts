// Which way a request to the port goes: CONNECT, a request to forward, or one for the proxy itself.

import type { Socket } from 'node:net';
import { NwsError, toNwsError } from '../errors.js';
import { replyFailure, replyFailureRaw } from '../http/reply.js';
import { handleConnect } from './connect.js';
import { type Entry, ignoreErrors } from './entry.js';
import type { Forwarder } from './forward.js';
import { type AbsoluteTarget, isLoopbackHost, parseAbsoluteForm } from './host-port.js';
import type { Handlers } from './listener.js';
import type { LocalPages } from './local.js';

export function routes(entry: Entry, forwarder: Forwarder, pages: LocalPages): Handlers {
  return {
    onConnect(req, client, head) {
      void handleConnect(entry, req.url ?? '', client, head);
    },
    onRequest(req, res) {
      try {
        const target = parseAbsoluteForm(req.url ?? '');
        if (target === undefined) pages.serve(req.url ?? '', req.headers.host, req, res);
        else if (isOurs(target, req.socket)) pages.serve(target.path, target.authority, req, res);
        else forwarder.request(target, req, res);
      } catch (error) {
        replyFailure(res, toNwsError(error));
      }
    },
    onUpgrade(req, client, head) {
      try {
        const target = parseAbsoluteForm(req.url ?? '');
        if (target === undefined || isOurs(target, client)) throw nothingToUpgrade();
        forwarder.upgrade(target, req, client, head);
      } catch (error) {
        ignoreErrors(client);
        replyFailureRaw(client, toNwsError(error), req.headers.accept);
      }
    },
  };
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
