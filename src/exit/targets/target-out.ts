// Requests on their way to a target, in the version of HTTP that it speaks.

import { setMaxListeners } from 'node:events';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { NwsError } from '../../errors.js';
import { Http1Origins } from '../../http/h1/origins.js';
import { Http2ClientRequest } from '../../http/h2/client-request.js';
import { Http2Sessions } from '../../http/h2/sessions.js';
import { openStream } from '../../http/h2/web-socket.js';
import type { RawHeaders } from '../../http/headers.js';
import type { SendOut } from '../../http/outgoing.js';
import type { OpenedUpgrade } from '../../http/upgrade.js';
import { dialHttp } from '../dial/dial.js';
import type { Target } from './target.js';

/** How long a connection to the target without a request is kept. */
const IDLE_MS = 30_000;
/** Requests to the target at once. */
const MAX_REQUESTS = 4_096;
/** How long a target that has chosen HTTP/1.1 isn't asked again. */
const CHOICE_LIFETIME_MS = 5 * 60_000;

export class TargetOut {
  readonly #target: Target;
  readonly #http1: Http1Origins;
  readonly #sessions: Http2Sessions;
  readonly #closing = new AbortController();
  #http1Until = 0;

  constructor(target: Target) {
    this.#target = target;
    setMaxListeners(0, this.#closing.signal);
    this.#sessions = new Http2Sessions(() => this.#dialHttp2());
    this.#http1 = new Http1Origins({
      connect: () => dialHttp(target, { signal: this.#closing.signal }),
      idleMs: IDLE_MS,
      maxRequests: MAX_REQUESTS,
      isLenient: true,
    });
  }

  /** For requests that came by HTTP/1.x: they go on by it, but to a target that knows HTTP/2 alone. */
  get send(): SendOut {
    return this.#target.kind === 'h2c' ? this.#sendHttp2 : this.#sendHttp1;
  }

  /**
   * For requests that came by HTTP/2: they go on by it where the target speaks it.
   * @throws NwsError why the target can't be reached.
   */
  async sendAsCame(): Promise<SendOut> {
    return (await this.#speaksHttp2()) ? this.#sendHttp2 : this.#sendHttp1;
  }

  /** @throws NwsError `http_upgrade_failed` where an h2c target has no WebSockets as streams (RFC 8441). */
  async sendWebSocket(): Promise<SendOut> {
    await this.#demandWebSockets();
    return this.#sendHttp2;
  }

  /** For WebSockets that came as an Upgrade, toward an h2c target. @throws NwsError as `sendWebSocket`. */
  async openWebSocket(
    path: string,
    headers: RawHeaders,
    signal: AbortSignal,
  ): Promise<OpenedUpgrade> {
    await this.#demandWebSockets();
    return openStream(this.#sessions, path, headers, signal);
  }

  close(): void {
    this.#closing.abort();
    this.#sessions.close();
    this.#http1.close();
  }

  readonly #sendHttp1: SendOut = (head) => this.#http1.send('target', head);

  readonly #sendHttp2: SendOut = (head) =>
    new Http2ClientRequest(this.#sessions, {
      ...head,
      scheme: this.#target.kind === 'https' ? 'https' : 'http',
    });

  async #demandWebSockets(): Promise<void> {
    const { enableConnectProtocol } = await this.#sessions.settings();
    if (enableConnectProtocol) return;
    throw new NwsError('http_upgrade_failed', 'the target takes no WebSockets over HTTP/2', {
      hint: 'it would have to allow extended CONNECT (RFC 8441); if it speaks HTTP/1.1, use http:// in --target',
    });
  }

  async #speaksHttp2(): Promise<boolean> {
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

  async #dialHttp2(): Promise<Duplex> {
    const { signal } = this.#closing;
    if (this.#target.kind !== 'https') return dialHttp(this.#target, { signal });
    const socket = await dialHttp(this.#target, { signal, alpn: ['h2', 'http/1.1'] });
    if ((socket as TLSSocket).alpnProtocol === 'h2') return socket;
    this.#http1Until = Date.now() + CHOICE_LIFETIME_MS;
    socket.destroy();
    throw new NwsError('http_protocol_error', 'the target has chosen HTTP/1.1');
  }
}
