// Who may use the proxy, or look at an exit's pages, where a user and a password are set: checks them in constant time,
// slows down those who guess, and asks for them in HTTP (407, 401). SOCKS uses the same check.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { NwsError } from '../../errors.js';
import { responseHead } from '../headers.js';
import { keepForUpload, proxyStatus } from '../reply.js';
import { type AttemptLimits, Attempts } from './attempts.js';

/** What clients of a proxy log in with. */
export interface Credentials {
  /** Without a colon. */
  readonly user: string;
  /** Compared in constant time. */
  readonly password: string;
}

/** How long a client may take to close its side after a refused CONNECT. */
const LINGER_MS = 2_000;

export class Authenticator {
  /** Of this process alone: what is compared says nothing about what was guessed. */
  readonly #key = randomBytes(32);
  readonly #expected: Buffer;
  readonly #log: Logger;
  readonly #attempts: Attempts;

  constructor(expected: Credentials, log: Logger, limits?: AttemptLimits) {
    this.#expected = this.#digest(expected.user, expected.password);
    this.#log = log;
    this.#attempts = new Attempts(limits);
  }

  /**
   * Whether user and password are right. After failures from the same address the answer takes its time;
   * with too many attempts under way from there it is no, whatever they say. Never rejects.
   * @param address where the client comes from
   */
  async check(user: string, password: string, address: string): Promise<boolean> {
    const wait = this.#attempts.turn(address, performance.now());
    if (wait === undefined) return false;
    // Nobody is kept running by a client that waits.
    if (wait > 0) await pause(wait, undefined, { ref: false });
    // From here to the end in one go: the next attempt has to know of this one.
    if (timingSafeEqual(this.#digest(user, password), this.#expected)) {
      this.#attempts.succeeded(address);
      return true;
    }
    this.#attempts.failed(address, performance.now());
    this.#log.warn({ address }, 'a client gave a wrong user or password');
    return false;
  }

  /** The same for what a request says in a field. One without is refused, and not held against the client. */
  async admits(
    req: IncomingMessage,
    field: 'proxy-authorization' | 'authorization' = 'proxy-authorization',
  ): Promise<boolean> {
    const given = parseBasic(req.headers[field]);
    if (given === undefined) return false;
    return this.check(given.user, given.password, req.socket.remoteAddress ?? '');
  }

  #digest(user: string, password: string): Buffer {
    return createHmac('sha256', this.#key)
      .update(JSON.stringify([user, password]))
      .digest();
  }
}

/** Reads `Basic …` (RFC 7617); undefined for anything else. */
export function parseBasic(header: string | undefined): Credentials | undefined {
  const [, encoded = ''] = /^basic +([\w+/-]+=*) *$/i.exec(header ?? '') ?? [];
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Answers 407 and keeps the connection: the client may ask again on it. */
export function demandAuth(res: ServerResponse): void {
  if (res.headersSent || res.destroyed) return;
  const { status, headers, body } = demand(res.req);
  keepForUpload(res);
  res.writeHead(status, headers).end(body);
  res.req.resume();
}

/** The same on a connection that has left HTTP behind, for CONNECT and upgrades; closes it. */
export function demandAuthRaw(req: IncomingMessage, client: Socket): void {
  if (client.destroyed || !client.writable) return;
  const { status, headers, body } = demand(req);
  client.end(responseHead(status, [...headers, 'Connection', 'close']) + body);
  // What the client still sends is read for a moment: closing on it would take the answer along.
  const timer = setTimeout(() => client.destroy(), LINGER_MS);
  client.once('close', () => clearTimeout(timer)).resume();
}

/** Answers 401: the pages are of this server itself, so a browser asks its user. */
export function demandLogin(res: ServerResponse): void {
  if (res.headersSent || res.destroyed) return;
  const body = 'nws: these pages want the user and the password of --auth\n';
  res.writeHead(401, {
    'WWW-Authenticate': 'Basic realm="nws", charset="UTF-8"',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  res.end(body);
  res.req.resume();
}

function demand(req: IncomingMessage): { status: number; headers: string[]; body: string } {
  const wasGiven = req.headers['proxy-authorization'] !== undefined;
  const message = wasGiven
    ? 'the proxy was given a wrong user or password, or too many of them'
    : 'the proxy wants a user and a password';
  const hint = 'give them like this: HTTPS_PROXY=http://user:password@host:port';
  const error = new NwsError('proxy_auth_required', message, { hint });
  const body = `nws: ${error.line}\n`;
  const headers = [
    ['Proxy-Authenticate', 'Basic realm="nws"'],
    ['Proxy-Status', proxyStatus(error)],
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Content-Length', String(Buffer.byteLength(body))],
    ['Cache-Control', 'no-store'],
    ['X-Content-Type-Options', 'nosniff'],
  ].flat();
  return { status: error.status, headers, body };
}
