// `--tls terminate`: a CONNECT to a `.nostr` host, whose TLS ends here and goes on under the exit's pin.
//
//   client ── 200 ──┬─ TLS, pin on record ── our leaf ║ pinned TLS ── exit
//                   ├─ TLS, no pin ───────── untouched ─────────────── exit
//                   └─ anything else ─────── untouched ─────────────── exit
//
// The stream is opened while the client makes up its mind. Who speaks first decides: a TLS server never does.

import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { NwsError, toNwsError } from '../../errors.js';
import type { Spare, SpareRoute } from '../advance/spares.js';
import { tryOut } from '../advance/trial.js';
import { type Caller, join, logFailure, passOn } from '../caller.js';
import type { Entry } from '../entry.js';
import { endWith } from '../streams.js';
import { acceptTls, clientAlpn, upstreamAlpn } from './client-tls.js';
import { answerFailure, failureProtocol } from './failures.js';
import { firstByte, onFirstByte } from './first-answer.js';
import { Opening } from './opening.js';
import type { FirstWord } from './prelude.js';

/** What a client may take for its first word once its stream has failed: one that speaks TLS speaks at once. */
const LAST_WORD_MS = 3_000;
/** How long a client of an exit that speaks TLS is waited for before it counts as one that speaks something else. */
const PATIENCE_MS = 300;

interface PinnedWay {
  readonly bare?: undefined;
  readonly route: SpareRoute;
  readonly socket: TLSSocket;
  /** What the socket is of, where it was there before. */
  readonly spare?: Spare;
}

type Way = PinnedWay | { readonly bare: Duplex };

/** The fatal alert of RFC 8446, section 6.2, in its record. */
const DECODE_ERROR = Buffer.from([21, 3, 3, 0, 2, 2, 50]);

/**
 * Serves the CONNECT until it is handed over. Failures of TLS clients are answered inside TLS.
 * @throws NwsError `bad_name` before 200 was answered; after it, why the stream of another client failed.
 */
export async function terminate(entry: Entry, caller: Caller): Promise<void> {
  entry.resolver.decode(caller.at.host);
  caller.accept();
  const opening = new Opening(entry, caller);
  if (!entry.spares?.has(caller.at)) void opening.stream.catch(ignore);
  const word = await firstWord(caller, opening);
  if (word.kind === 'tls') await secure(entry, caller, word.alpn, opening);
  else if (word.kind === 'broken') refuseHello(entry, caller, opening);
  else passOn(entry, caller, await opening.stream);
}

/** What begins like TLS and can't be read must not reach the exit unpinned, whatever the exit would make of it. */
function refuseHello(entry: Entry, caller: Caller, opening: Opening): void {
  opening.drop();
  caller.handOver();
  caller.client.write(DECODE_ERROR);
  caller.client.destroySoon();
  const failure = new NwsError(
    'tls_protocol_error',
    'the client begins a TLS handshake that can’t be read',
  );
  logFailure(entry, caller.at.host, failure);
}

/** The client's first word, or 'other' when the server has spoken before it, or has failed and the client is silent. */
async function firstWord(caller: Caller, opening: Opening): Promise<FirstWord> {
  const decided = new AbortController();
  const server = new Promise<FirstWord>((resolve) => {
    const spoken = (): void => resolve({ kind: 'other' });
    const failed = (): void => after(LAST_WORD_MS, decided.signal, spoken);
    const listen = (): void =>
      void opening.stream.then((opened) => {
        onFirstByte(opened.once('close', failed), decided.signal, spoken);
      }, failed);
    // Where a connection waits already, a stream is for a client that doesn't speak TLS, and may never speak first.
    if (opening.isBegun) listen();
    else after(PATIENCE_MS, decided.signal, listen);
  });
  try {
    return await Promise.race([caller.prelude.firstWord(caller.signal), server]);
  } finally {
    decided.abort();
  }
}

function after(ms: number, signal: AbortSignal, act: () => void): void {
  if (signal.aborted) return;
  const timer = setTimeout(act, ms);
  signal.addEventListener('abort', () => clearTimeout(timer));
}

async function secure(
  entry: Entry,
  caller: Caller,
  alpn: readonly string[],
  opening: Opening,
): Promise<void> {
  const { client, prelude, at, signal } = caller;
  const leave = (): void => {
    client.destroy();
  };
  // A client that stops speaking amid a handshake has given up.
  if (prelude.ended) leave();
  client.once('end', leave);
  let way: Way;
  try {
    const offered = upstreamAlpn(alpn);
    way = await reach(entry, { at, alpn: offered, signal }, opening);
  } catch (error) {
    opening.drop();
    if (!signal.aborted) await fail(entry, caller, caller.handOver(), alpn, toNwsError(error));
    return;
  } finally {
    client.off('end', leave);
  }
  if (way.bare === undefined) await meet(entry, caller, alpn, way);
  else await passThrough(entry, caller, alpn, way.bare);
}

/**
 * The client's own TLS, as it is. An exit of NIP-443 doesn't say that it is there, but speaks when it is spoken
 * to; where nothing comes back, the client can still be told why.
 */
async function passThrough(
  entry: Entry,
  caller: Caller,
  alpn: readonly string[],
  upstream: Duplex,
): Promise<void> {
  const said = caller.prelude.release();
  upstream.write(said);
  try {
    await firstByte(upstream);
    caller.handOver();
    join(entry, caller.at, caller.client, upstream);
  } catch (error) {
    if (!caller.signal.aborted) await fail(entry, caller, said, alpn, toNwsError(error));
  }
}

/**
 * A connection in advance, pinned TLS to the exit, or the bare stream where the exit has no pin.
 */
async function reach(
  { pinned, spares }: Entry,
  { at, alpn, signal }: Pick<SpareRoute, 'at' | 'alpn'> & { readonly signal: AbortSignal },
  opening: Opening,
): Promise<Way> {
  const to = await opening.to;
  const pin = await pinned.pinFor(to);
  if (pin === undefined) return { bare: await opening.stream };
  const route = { at, to, pin, alpn };
  const spare = opening.isBegun ? undefined : await spares?.take(route);
  if (spare !== undefined) return { route, spare, socket: endWith(spare.socket, signal) };
  const ways = { to, port: at.port, pin, alpn, signal };
  return { route, socket: await pinned.connect(ways, await opening.stream) };
}

/** TLS with the client, in the protocol that the exit has chosen, and then both sides joined. */
async function meet(
  entry: Entry,
  caller: Caller,
  alpn: readonly string[],
  way: PinnedWay,
): Promise<void> {
  const { socket: upstream, route, spare } = way;
  const { alpnProtocol } = upstream;
  const protocol = alpnProtocol ? clientAlpn(alpn, alpnProtocol) : undefined;
  let client: TLSSocket;
  try {
    const leaf = entry.authority.leafFor(caller.at.host);
    client = await acceptTls(caller.client, caller.handOver(), leaf, protocol);
  } catch (error) {
    upstream.destroy();
    throw error;
  }
  if (spare !== undefined) return meetAhead(entry, client, route, spare);
  entry.spares?.follow(route, upstream);
  join(entry, caller.at, client, upstream);
}

/** The same over a connection in advance, or over another one where that turns out to be dead, or no good for this. */
async function meetAhead(
  entry: Entry,
  client: TLSSocket,
  route: SpareRoute,
  spare: Spare,
): Promise<void> {
  const { at } = route;
  const verdict = await tryOut(client, spare, () => entry.spares?.follow(route, spare.socket));
  if (verdict.is === 'good') return join(entry, at, client, spare.socket);
  if (verdict.is === 'unfit' && verdict.isUntouched) entry.spares?.putBack(route, spare);
  else spare.socket.destroy();
  const leaving = new AbortController();
  const leave = (): void => leaving.abort();
  client.once('close', leave);
  try {
    const ways = { ...route, port: at.port, signal: leaving.signal };
    const upstream = await entry.pinned.connect(ways);
    entry.spares?.follow(route, upstream);
    upstream.write(verdict.said);
    join(entry, at, client, upstream);
  } catch (error) {
    if (leaving.signal.aborted) return;
    logFailure(entry, at.host, toNwsError(error));
    client.unshift(verdict.said);
    answerFailure(client, toNwsError(error));
  } finally {
    client.off('close', leave);
  }
}

/** The failure as a web page, which is the one thing that every client of an https URL can show. */
async function fail(
  entry: Entry,
  caller: Caller,
  said: Buffer,
  alpn: readonly string[],
  failure: NwsError,
): Promise<void> {
  logFailure(entry, caller.at.host, failure);
  const leaf = entry.authority.leafFor(caller.at.host);
  const protocol = failureProtocol(alpn);
  answerFailure(await acceptTls(caller.client, said, leaf, protocol), failure);
}

function ignore(): void {
  // dealt with where it was awaited first
}
