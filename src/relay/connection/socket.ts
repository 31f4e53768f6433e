// One WebSocket to one relay that comes back by itself: dialling, back-off, keep-alive, text frames.
// Knows nothing of Nostr: link.ts gives the frames their meaning.
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { type RawData, WebSocket } from 'ws';
import { Backoff } from './backoff.js';
import { createConnectionWith } from './create-connection.js';
import { readAnswer, USER_AGENT } from './handshake.js';
import type { AgentFor } from './proxy-agent.js';

/** Longest frame that is read from a relay: twice what the most generous common relay passes on. */
const MAX_FRAME_BYTES = 1024 * 1024;
/** How long resolving and TCP may take, and TLS and the WebSocket handshake together. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** After this much silence the relay is asked for a sign of life; after as much again it is given up. */
const KEEP_ALIVE_MS = 20_000;
/** How long a relay may take to answer a ping that asks whether it is there. */
const PROBE_MS = 5_000;
/** Pauses between attempts to connect: streams wait for the relay, and go on within seconds of its return. */
const RECONNECT = { firstMs: 500, maxMs: 5_000, atOnce: true } as const;
/** A connection that lasted this long starts the back-off afresh. */
const STABLE_MS = 1_000;
/** kick() doesn't make attempts follow each other faster than this. */
const KICK_PAUSE_MS = 1_000;
/** How long close() waits for the relay's half of the closing handshake. */
const CLOSE_GRACE_MS = 1_000;

export interface RelaySocketOptions {
  readonly url: string;
  readonly agentFor?: AgentFor | undefined;
  /** Default 20,000. */
  readonly keepAliveMs?: number | undefined;
}

interface RelaySocketEvents {
  /** TCP is up and the relay agrees to a WebSocket. */
  connected: [socket: Socket];
  open: [];
  /** A text frame, in UTF-8. */
  message: [text: Buffer];
  /** A binary frame, which no relay has a reason to send. */
  garbage: [];
  /** The connection ended, or an attempt failed. Another attempt is already due. */
  lost: [reason: string, wasOpen: boolean];
}

export class RelaySocket extends EventEmitter<RelaySocketEvents> {
  readonly #options: RelaySocketOptions;
  readonly #backoff = new Backoff(RECONNECT);
  #ws: WebSocket | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #keepAliveTimer: NodeJS.Timeout | undefined;
  #probeTimer: NodeJS.Timeout | undefined;
  #attemptedAt = 0;
  #openedAt: number | undefined;
  #heardAt = 0;
  #localAddress: string | undefined;
  #closed = false;
  #url: string;

  constructor(options: RelaySocketOptions) {
    super();
    this.#options = options;
    this.#url = options.url;
  }

  /** Where the connection leads, or led last: where the relay's address redirects to, if it does. */
  get url(): string {
    return this.#url;
  }

  get isOpen(): boolean {
    return this.#ws?.readyState === WebSocket.OPEN;
  }

  /** Bytes that were sent and that the operating system has not taken yet. */
  get bufferedBytes(): number {
    return this.#ws?.bufferedAmount ?? 0;
  }

  /** Address of this machine that the connection was made from, while it is open. */
  get localAddress(): string | undefined {
    return this.isOpen ? this.#localAddress : undefined;
  }

  /** When anything last came from the relay, on the clock of performance.now(), in ms. */
  get heardAt(): number {
    return this.#heardAt;
  }

  start(): void {
    this.#connect();
  }

  /**
   * Sends a text frame; dropped when the socket isn't open. `flushed` is called when it has left, or failed to.
   * @param text as it is, or in UTF-8
   */
  send(text: string | Buffer, flushed?: () => void): void {
    if (this.isOpen) this.#ws?.send(text, { binary: false }, () => flushed?.());
  }

  /** Skips the rest of a pause between two attempts, or asks a connection that stands whether it does. */
  kick(): void {
    this.probe();
    if (this.#retryTimer === undefined) return;
    if (performance.now() - this.#attemptedAt < KICK_PAUSE_MS) return;
    clearTimeout(this.#retryTimer);
    this.#connect();
  }

  /** Asks for a sign of life, without which the present connection is given up. */
  probe(): void {
    const ws = this.#ws;
    if (!this.isOpen || this.#probeTimer !== undefined) return;
    const askedAt = performance.now();
    ws?.ping();
    this.#probeTimer = setTimeout(() => {
      this.#probeTimer = undefined;
      if (this.#heardAt < askedAt) this.abandon('the relay does not answer');
    }, PROBE_MS);
  }

  /** Gives the present connection up without a farewell; a new one follows. */
  abandon(reason: string): void {
    const ws = this.#ws;
    if (ws === undefined) return;
    this.#lose(reason);
    ws.terminate();
  }

  #clearTimers(): void {
    clearInterval(this.#keepAliveTimer);
    clearTimeout(this.#probeTimer);
    this.#probeTimer = undefined;
  }

  /** Ends the connection for good; resolves when the socket is gone. What was sent is flushed first. */
  close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    this.#clearTimers();
    const ws = this.#ws;
    this.#ws = undefined;
    if (ws === undefined || ws.readyState === WebSocket.CLOSED) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => ws.terminate(), CLOSE_GRACE_MS);
      ws.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      if (ws.readyState === WebSocket.CONNECTING) ws.terminate();
      else ws.close(1000);
    });
  }

  #connect(): void {
    this.#retryTimer = undefined;
    this.#attemptedAt = performance.now();
    try {
      this.#ws = this.#dial(this.#options.url, 0);
    } catch (error) {
      this.#lose(describe(error)); // a URL that can't be dialled, or an upstream proxy that can't be used
    }
  }

  #dial(url: string, redirects: number): WebSocket {
    const agent = this.#options.agentFor?.(url);
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, AbortSignal.timeout(HANDSHAKE_TIMEOUT_MS)]);
    const ways =
      agent === undefined
        ? { createConnection: createConnectionWith(url.startsWith('wss:'), signal) as never }
        : { agent };
    const ws = new WebSocket(url, {
      perMessageDeflate: false, // ciphertext doesn't compress, and trying costs half of the throughput
      maxPayload: MAX_FRAME_BYTES,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      headers: { 'User-Agent': USER_AGENT },
      ...ways,
    });
    this.#url = url;
    let failure: string | undefined;
    const heard = (): void => {
      this.#heardAt = performance.now();
    };
    ws.on('upgrade', ({ socket }) => {
      this.#localAddress = socket.localAddress;
      this.emit('connected', socket);
    });
    ws.on('unexpected-response', (_request, response) => {
      const answer = readAnswer(response, url, redirects);
      if ('failure' in answer) failure = answer.failure;
      else failure = this.#follow(ws, answer.redirect, redirects + 1);
      ws.terminate();
    });
    ws.on('open', () => this.#onOpen(ws));
    ws.on('message', (data, isBinary) => this.#onMessage(ws, data, isBinary));
    ws.on('pong', heard);
    ws.on('ping', heard);
    ws.on('error', (error) => {
      failure ??= describe(error);
    });
    ws.on('close', (code) => {
      over.abort();
      if (this.#ws === ws) this.#lose(failure ?? `the relay closed the connection (${code})`);
    });
    return ws;
  }

  /** Goes on at another address. Returns why that can't be. */
  #follow(ws: WebSocket, url: string, redirects: number): string | undefined {
    if (this.#ws !== ws) return undefined;
    try {
      this.#ws = this.#dial(url, redirects);
      return undefined;
    } catch (error) {
      return describe(error);
    }
  }

  #onOpen(ws: WebSocket): void {
    if (this.#ws !== ws) return;
    this.#openedAt = this.#heardAt = performance.now();
    this.#startKeepAlive(ws);
    this.emit('open');
  }

  #onMessage(ws: WebSocket, data: RawData, isBinary: boolean): void {
    this.#heardAt = performance.now();
    if (this.#ws !== ws) return;
    if (isBinary) this.emit('garbage');
    else this.emit('message', data as Buffer);
  }

  #startKeepAlive(ws: WebSocket): void {
    const { keepAliveMs = KEEP_ALIVE_MS } = this.#options;
    let pingedAt = 0;
    this.#keepAliveTimer = setInterval(() => {
      const now = performance.now();
      if (now - this.#heardAt < keepAliveMs) return;
      if (pingedAt > this.#heardAt) {
        this.abandon('the relay went silent');
      } else {
        pingedAt = now;
        ws.ping();
      }
    }, keepAliveMs);
  }

  #lose(reason: string): void {
    this.#clearTimers();
    const openedAt = this.#openedAt;
    this.#ws = undefined;
    this.#openedAt = undefined;
    if (this.#closed) return;
    if (openedAt !== undefined && performance.now() - openedAt >= STABLE_MS) this.#backoff.reset();
    this.#retryTimer = setTimeout(() => this.#connect(), this.#backoff.next());
    this.emit('lost', reason, openedAt !== undefined);
  }
}

/** Node gives an AggregateError without a message when several addresses of a host all fail. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  return error.message || code || error.name;
}
