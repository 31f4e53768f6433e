// `--tls passthrough`: a CONNECT to a `.nostr` host whose TLS runs to the exit untouched.
//
//   client ── CONNECT ── stream and pin ── handshake of our own, on a second stream ── 200 ── splice
//
// What the proxy checks is the exit's answer to itself; what the client trusts (`nws cert --pem`) is its own matter.

import { type Caller, passOn } from '../caller.js';
import type { Entry } from '../entry.js';
import type { ResolvedHost } from '../resolve.js';
import { endWith } from '../streams.js';

/**
 * Answers 200 when the stream is open and the exit serves the certificate of its pin, if it has one.
 * @throws NwsError why there is no stream, or `pin_mismatch`.
 */
export async function passThrough(entry: Entry, caller: Caller): Promise<void> {
  const { at, signal } = caller;
  const to = await entry.resolver.resolve(at.host);
  const [opened, checked] = await Promise.allSettled([
    entry.open(to, at.port, signal),
    check(entry, to, at.port, signal),
  ]);
  if (opened.status === 'rejected') throw opened.reason;
  const stream = endWith(opened.value, signal);
  if (checked.status === 'rejected') {
    stream.destroy();
    throw checked.reason;
  }
  caller.accept();
  passOn(entry, caller, stream);
}

async function check(
  { pinned, shown }: Entry,
  to: ResolvedHost,
  port: number,
  signal: AbortSignal,
): Promise<void> {
  const pin = await pinned.pinFor(to);
  if (pin === undefined || shown.has(pin, port)) return;
  const socket = await pinned.connect({ to, port, pin, alpn: [], signal, inFull: true });
  socket.destroy();
  shown.add(pin, port);
}
