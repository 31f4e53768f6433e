// Entry and exit with everything real but the tunnel: streams are joined in memory, so that many exchanges are cheap.

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { NwsError } from '../../src/errors.js';
import { HttpTarget } from '../../src/exit/targets/http-target.js';
import { parseTarget } from '../../src/exit/targets/target.js';
import { openExitCertificate } from '../../src/tls/certificate.js';
import { FakeExit, silent, TestEntry } from '../proxy/fixture.js';
import { duplexPair, type PairEnd } from '../support/duplex-pair.js';
import { until } from '../support/until.js';
import type { Door } from './client.js';
import type { Origin } from './origin.js';
import type { Way } from './plan.js';

/** What carries exchanges from a client to the origin. */
export interface Rig {
  door(way: Way): Door;
  /** Resolves when no connection of a client is left. */
  quiet(): Promise<void>;
  /** Ends everything; in vain where something is still at work. */
  close(): Promise<void>;
  /** Ends everything at once, whatever is at work. */
  cut(): Promise<void>;
}

interface Parts {
  readonly entry: TestEntry;
  readonly target: HttpTarget;
  readonly host: string;
  readonly origin: Pick<Origin, 'port'>;
  readonly home: string;
}

export class Near implements Rig {
  readonly #parts: Parts;
  readonly #streams: Set<PairEnd>;
  readonly #closing: AbortController;

  private constructor(parts: Parts, streams: Set<PairEnd>, closing: AbortController) {
    this.#parts = parts;
    this.#streams = streams;
    this.#closing = closing;
  }

  static async start(origin: Pick<Origin, 'port'>): Promise<Near> {
    const home = await mkdtemp(join(tmpdir(), 'nws-fuzz-'));
    const exit = new FakeExit();
    const certificate = await openExitCertificate(home, exit.pubkey, [exit.host]);
    const at = parseTarget(`http://127.0.0.1:${origin.port}`);
    const target = new HttpTarget({ target: at, certificate, log: silent });
    const streams = new Set<PairEnd>();
    const closing = new AbortController();
    const open = async (): Promise<PairEnd> => {
      if (closing.signal.aborted) throw new NwsError('shutting_down', 'the exit is shutting down');
      const [near, far] = duplexPair();
      streams.add(near.once('close', () => streams.delete(near)));
      target.serve(incomingOf(far));
      return near;
    };
    const entry = await TestEntry.start({ open });
    entry.events = [exit.publish(certificate)];
    return new Near({ entry, target, host: exit.host, origin, home }, streams, closing);
  }

  door(way: Way): Door {
    const { entry, host, origin } = this.#parts;
    if (way === 'clear') return clearDoor(entry.proxyPort, `127.0.0.1:${origin.port}`);
    return doorOf(way, entry.proxyPort, host, entry.authority.pem);
  }

  async quiet(): Promise<void> {
    await until(() => this.#parts.entry.listener.connections === 0);
  }

  async close(): Promise<void> {
    // Idle connections end at once; a minute is for those that are still at work, and none may be.
    this.#closing.abort();
    await this.#parts.target.close(60_000);
    await until(() => this.#streams.size === 0);
    await this.cut();
  }

  async cut(): Promise<void> {
    const { entry, target, home } = this.#parts;
    this.#closing.abort();
    await target.close(0);
    await entry.close();
    await rm(home, { recursive: true, force: true });
  }
}

function incomingOf(stream: PairEnd): Parameters<HttpTarget['serve']>[0] {
  return {
    peer: 'e'.repeat(64),
    key: '8c4bd65e-3a3c-4e4b-93a8-6a0b1fb8d9ac',
    destination: '',
    reverse: undefined,
    signal: new AbortController().signal,
    accept: () => stream,
    refuse: () => stream.destroy(),
  };
}

function clearDoor(port: number, host: string): Door {
  return { prefix: `http://${host}`, host, open: () => dial(port) };
}

/** The way to a `.nostr` name through the proxy on this port. */
export function doorOf(way: Way, port: number, host: string, ca: string): Door {
  if (way === 'absolute') return { prefix: `http://${host}`, host, open: () => dial(port) };
  if (way === 'absolute-tls') return { prefix: `https://${host}`, host, open: () => dial(port) };
  if (way === 'connect') return { prefix: '', host, open: () => tunnelled(port, host, 80) };
  const open = async () => {
    const socket = await tunnelled(port, host, 443);
    const options = {
      socket,
      ca,
      servername: host,
      ALPNProtocols: [way === 'h2' ? 'h2' : 'http/1.1'],
    };
    const secure = connectTls({ ...options, allowHalfOpen: true } as typeof options);
    secure.on('error', () => undefined);
    await once(secure, 'secureConnect');
    return secure;
  };
  return { prefix: '', host, open };
}

async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

async function tunnelled(port: number, host: string, to: number): Promise<Socket> {
  const socket = await dial(port);
  socket.write(`CONNECT ${host}:${to} HTTP/1.1\r\nHost: ${host}:${to}\r\n\r\n`);
  await once(socket, 'readable');
  const answer = String(socket.read());
  if (!/^HTTP\/1\.1 200 [^\r]*\r\n\r\n$/.test(answer)) throw new Error(`CONNECT: ${answer}`);
  return socket;
}
