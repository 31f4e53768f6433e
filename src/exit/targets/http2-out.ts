// Requests on their way to a target by HTTP/2: one that is known to speak it (h2c://), or says so in its TLS.

import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { NwsError } from '../../errors.js';
import { Http2ClientRequest } from '../../http/h2/client-request.js';
import type { Http2Request } from '../../http/h2/request.js';
import { Http2Sessions } from '../../http/h2/sessions.js';
import { dialHttp } from '../dial/dial.js';
import type { Way } from './http1-out.js';
import type { Target } from './target.js';

/** How long a target that has chosen HTTP/1.1 isn't asked again. */
const CHOICE_LIFETIME_MS = 5 * 60_000;

export class Http2Out {
  readonly #target: Target;
  readonly #sessions: Http2Sessions;
  #http1Until = 0;

  constructor(target: Target) {
    this.#target = target;
    this.#sessions = new Http2Sessions(() => this.#dial());
  }

  /** @throws NwsError why the target can't be reached. */
  async speaksHttp2(): Promise<boolean> {
    const { kind } = this.#target;
    if (kind !== 'https') return kind === 'h2c';
    if (this.#http1Until > Date.now()) return false;
    try {
      await this.#sessions.settings();
      return true;
    } catch (error) {
      if (this.#http1Until > Date.now()) return false;
      throw error;
    }
  }

  send(req: Http2Request, way: Way): Http2ClientRequest {
    return this.#send(req, way, undefined);
  }

  /** @throws NwsError `http_upgrade_failed` where the target has no WebSockets as streams (RFC 8441). */
  async openWebSocket(req: Http2Request, way: Way): Promise<Http2ClientRequest> {
    const { enableConnectProtocol } = await this.#sessions.settings();
    if (enableConnectProtocol) return this.#send(req, way, 'websocket');
    throw new NwsError('http_upgrade_failed', 'the target takes no WebSockets over HTTP/2');
  }

  #send(req: Http2Request, way: Way, protocol: string | undefined): Http2ClientRequest {
    const scheme = this.#target.kind === 'https' ? 'https' : 'http';
    const { method, complete: isComplete } = req;
    const sessions = this.#sessions;
    return new Http2ClientRequest({ ...way, sessions, scheme, method, protocol, isComplete });
  }

  close(): void {
    this.#sessions.close();
  }

  async #dial(): Promise<Duplex> {
    const isSecure = this.#target.kind === 'https';
    const socket = await dialHttp(this.#target, isSecure ? { alpn: ['h2', 'http/1.1'] } : {});
    if (!isSecure || (socket as TLSSocket).alpnProtocol === 'h2') return socket;
    this.#http1Until = Date.now() + CHOICE_LIFETIME_MS;
    socket.destroy();
    throw new NwsError('http_protocol_error', 'the target has chosen HTTP/1.1');
  }
}
