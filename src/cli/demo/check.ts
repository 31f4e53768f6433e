// What the demo shows: each link in the chain from a name to a page, checked for itself, then a fetch
// of the page by the same way that a client takes.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { HttpsProxyAgent } from 'https-proxy-agent';
import type { Logger } from 'pino';
import { NwsError } from '../../errors.js';
import { decodeHost } from '../../protocol/names/address.js';
import { RelayPool } from '../../relay/pool.js';
import { type Pin, PinResolver, PinStore } from '../../tls/pins/pins.js';
import { checkServed } from '../lookup/check.js';

/** How long the page may take, in milliseconds. */
const FETCH_TIMEOUT_MS = 20_000;

export interface DemoUnderTest {
  readonly domain: string;
  /** The key that the exit was started with: lower-case hex. */
  readonly pubkey: string;
  readonly relayUrl: string;
  readonly proxyUrl: string;
  readonly caPath: string;
  /** Folder for the checks' own pins. */
  readonly home: string;
  /** The page as the site has it. */
  readonly page: string;
  readonly log: Logger;
}

/** One thing that was verified, in a few words. */
export interface Step {
  readonly name: string;
  readonly shown: string;
}

/** Runs the checks in order, and yields each as it holds. @throws NwsError for the first that doesn't */
export async function* checkDemo(demo: DemoUnderTest): AsyncGenerator<Step> {
  const { pubkey, relays } = decodeHost(demo.domain);
  expect(pubkey === demo.pubkey, 'the name holds another key than the exit has');
  yield { name: 'name', shown: `is the key ${pubkey}` };
  expect(relays[0] === demo.relayUrl, 'the name holds another relay than the exit uses');
  yield { name: 'relay', shown: `${relays[0]}, carried in the name` };
  const pin = await fetchPin(demo, pubkey, relays);
  yield { name: 'certificate', shown: `event ${pin.eventId} signed by that key` };
  await checkServed(proxyOptions(demo, relays), demo.domain, pin);
  yield { name: 'fingerprint', shown: `${pin.fingerprints[0]}, served and signed alike` };
  const { protocol, response, body } = await fetchPage(demo);
  yield { name: 'tls', shown: `${protocol}, with a certificate of the local CA` };
  expect(
    response.statusCode === 200,
    `the page answers ${response.statusCode}: ${firstLine(body)}`,
  );
  yield { name: 'http', shown: `${response.statusCode} ${response.statusMessage}` };
  expect(body === demo.page, 'the page is another one than the site has');
  yield { name: 'page', shown: firstLine(body) };
}

async function fetchPin(demo: DemoUnderTest, pubkey: string, relays: readonly string[]) {
  const source = new RelayPool({ log: demo.log });
  try {
    const store = await PinStore.open(demo.home);
    const pin = await new PinResolver({ store, source, log: demo.log }).pinFor(pubkey, relays);
    expect(pin !== undefined, 'the exit publishes no certificate');
    return pin as Pin;
  } finally {
    await source.close();
  }
}

function proxyOptions({ home, log }: DemoUnderTest, relays: readonly string[]) {
  const aliases = new Map<string, string>();
  const listen = { host: '127.0.0.1', port: 0 };
  const modes = { tls: 'passthrough', clearnet: 'deny', requirePin: true } as const;
  return { ...modes, listen, relays, home, log, aliases };
}

/** The page through the proxy, by a client that trusts the local CA and nothing else. */
async function fetchPage({ domain, proxyUrl, caPath }: DemoUnderTest) {
  const ca = await readFile(caPath, 'utf8');
  const agent = new HttpsProxyAgent(proxyUrl);
  const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
  const request = get(`https://${domain}/`, { agent, ca, signal });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const protocol = (response.socket as TLSSocket).getProtocol();
  return { protocol, response, body: await text(response) };
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new NwsError('proxy_internal_error', `the demo failed: ${otherwise}`);
}

function firstLine(body: string): string {
  return body.split('\n', 1)[0] ?? '';
}
