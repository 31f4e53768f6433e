// Requests as browsers, package managers and scripts make them, each with what has to come.

import { createHash, randomBytes } from 'node:crypto';
import { type IncomingHttpHeaders, type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { expect } from 'chai';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { WebSocket } from 'ws';
import { readAll } from '../../support/read-all.js';
import type { World } from '../support/world.js';

export const SMALL = Buffer.from('a small page\n');
export const LARGE = randomBytes(400_000);
/** What /pieces and the CGI of that name say. */
export const PIECES = Array.from({ length: 500 }, (_, at) => `piece ${at}\n`).join('');

const CHUNKED = { 'Transfer-Encoding': 'chunked' };

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Someone who asks, by https or by http, through one proxy. */
export class Asker {
  readonly #world: World;
  readonly #secure: boolean;
  readonly #agent: HttpProxyAgent<string> | HttpsProxyAgent<string>;
  readonly #ca: string;

  constructor(world: World, secure: boolean, ca: string) {
    this.#world = world;
    this.#secure = secure;
    this.#ca = ca;
    const { url } = world.proxy;
    this.#agent = secure ? new HttpsProxyAgent(url) : new HttpProxyAgent(url);
  }

  async ask(path: string, options: RequestOptions = {}, body?: Buffer): Promise<Answer> {
    const url = this.#secure ? this.#world.https(path) : this.#world.http(path);
    const send = this.#secure ? requestHttps : requestHttp;
    const outgoing = send(url, { agent: this.#agent, ca: this.#ca, ...options });
    const answer = new Promise<Answer>((resolve, reject) => {
      outgoing.on('error', reject).on('response', (res) => {
        res.on('error', reject);
        const { statusCode: status = 0, headers } = res;
        readAll(res).then((read) => resolve({ status, headers, body: read }), reject);
      });
    });
    outgoing.end(body);
    return answer;
  }

  /** Sends over a WebSocket, and resolves with what comes back. */
  echo(path: string, message: Buffer): Promise<Buffer> {
    const url = this.#world.https(path).replace(/^https/, 'wss');
    const socket = new WebSocket(url, {
      agent: new HttpsProxyAgent(this.#world.proxy.url),
      ca: this.#ca,
    });
    return new Promise((resolve, reject) => {
      socket.on('error', reject).on('open', () => socket.send(message));
      socket.on('message', (data: Buffer) => {
        socket.close();
        socket.on('close', () => resolve(data));
      });
    });
  }
}

export type Kind = (asker: Asker) => Promise<void>;

async function isWhole(asker: Asker, path: string, expected: Buffer): Promise<void> {
  const { status, body } = await asker.ask(path);
  expect(status).to.equal(200);
  expect(body.equals(expected), `${path}: ${body.length} bytes`).to.equal(true);
}

async function isUnchanged(asker: Asker, field: string, from: string): Promise<void> {
  const { headers } = await asker.ask('/large.bin', { method: 'HEAD' });
  const answer = await asker.ask('/large.bin', { headers: { [field]: String(headers[from]) } });
  expect(answer.status).to.equal(304);
  expect(answer.body).to.have.length(0);
}

async function echoes(asker: Asker, path: string, headers: RequestOptions['headers']) {
  const sent = LARGE.subarray(0, 100_000);
  const { status, body } = await asker.ask(
    path,
    { method: 'POST', ...(headers && { headers }) },
    sent,
  );
  expect(status).to.equal(200);
  expect(body.equals(sent), `${path}: ${body.length} bytes`).to.equal(true);
}

export const small: Kind = (asker) => isWhole(asker, '/small.txt', SMALL);
export const large: Kind = (asker) => isWhole(asker, '/large.bin', LARGE);
export const pieces =
  (path: string): Kind =>
  (asker) =>
    isWhole(asker, path, Buffer.from(PIECES));
export const head: Kind = async (asker) => {
  const { status, headers, body } = await asker.ask('/large.bin', { method: 'HEAD' });
  expect(status).to.equal(200);
  expect(headers['content-length']).to.equal(String(LARGE.length));
  expect(body).to.have.length(0);
};
export const missing: Kind = async (asker) => {
  expect((await asker.ask('/nothing/here')).status).to.equal(404);
};
export const range: Kind = async (asker) => {
  const { status, body } = await asker.ask('/large.bin', { headers: { Range: 'bytes=700-90000' } });
  expect(status).to.equal(206);
  expect(body.equals(LARGE.subarray(700, 90_001))).to.equal(true);
};
export const byTag: Kind = (asker) => isUnchanged(asker, 'If-None-Match', 'etag');
export const byDate: Kind = (asker) => isUnchanged(asker, 'If-Modified-Since', 'last-modified');
export const echo =
  (path: string): Kind =>
  (asker) =>
    echoes(asker, path, { 'Content-Length': 100_000 });
export const chunkedEcho =
  (path: string): Kind =>
  (asker) =>
    echoes(asker, path, CHUNKED);
export const webSocket =
  (path: string): Kind =>
  async (asker) => {
    const message = LARGE.subarray(0, 5_000);
    expect((await asker.echo(path, message)).equals(message)).to.equal(true);
  };
/** The site of the tests, behind the server that is behind the exit. */
export const behind =
  (path: string): Kind =>
  async (asker) => {
    const sent = LARGE.subarray(0, 100_000);
    const { body } = await asker.ask(`${path}/digest`, { method: 'PUT', headers: CHUNKED }, sent);
    const sha256 = createHash('sha256').update(sent).digest('hex');
    expect(JSON.parse(String(body))).to.deep.equal({ bytes: sent.length, sha256 });
  };
