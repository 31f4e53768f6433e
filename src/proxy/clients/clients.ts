// Node's own clients through a running entry: an agent for node:http and node:https, a dispatcher for fetch() and undici.
// Both trust the entry's CA for `.nostr` names, besides Node's roots.

import { readFile } from 'node:fs/promises';
import type { Agent, ClientRequest } from 'node:http';
import { rootCertificates } from 'node:tls';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { type Dispatcher, ProxyAgent } from 'undici';

/** What is needed of a running entry. Where it asks for a login, `url` has it: `http://user:password@host:port`. */
export interface EntryAddress {
  /** `http://host:port`. */
  readonly url: string;
  /** File of the local CA's certificate. */
  readonly caPath: string;
}

/**
 * An agent for `http.request()` and `https.request()`, both. It keeps connections for the next request to the same host;
 * `destroy()` it before the entry is closed.
 */
export async function createAgent(entry: EntryAddress): Promise<Agent> {
  return new NameAgent(entry.url, await trustedBy(entry));
}

/**
 * An undici dispatcher, for `fetch(url, { dispatcher })` and `setGlobalDispatcher()`. `close()` it before the entry is
 * closed.
 */
export async function createDispatcher(entry: EntryAddress): Promise<Dispatcher> {
  return new ProxyAgent({ uri: entry.url, requestTls: { ca: await trustedBy(entry) } });
}

async function trustedBy({ caPath }: EntryAddress): Promise<string[]> {
  return [...rootCertificates, await readFile(caPath, 'utf8')];
}

type ConnectOptions = Parameters<HttpsProxyAgent<string>['connect']>[1];

/** Options given to an HttpsProxyAgent itself are for TLS with the proxy; these are for TLS through it. */
class NameAgent extends HttpsProxyAgent<string> {
  readonly #ca: string[];

  constructor(url: string, ca: string[]) {
    super(url, { keepAlive: true });
    this.#ca = ca;
  }

  override connect(req: ClientRequest, options: ConnectOptions) {
    return super.connect(req, { ca: this.#ca, ...options } as ConnectOptions);
  }
}
