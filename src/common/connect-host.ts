// Connections to names with several addresses (RFC 8305): they are tried in turn, each attempt beside the ones before
// it. Node's own way ends an attempt when the next begins, after 250 ms, so that a path of 300 ms is never taken.

import { lookup } from 'node:dns/promises';
import { isIP, connect as netConnect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** Addresses of one name that are tried: more would let a name's owner keep us busy. */
const MAX_CANDIDATES = 8;
/** How long an attempt stays alone before the next address is tried beside it (RFC 8305, section 8). */
const ATTEMPT_DELAY_MS = 250;

export interface HostOptions {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Ends all attempts. */
  readonly signal: AbortSignal;
  /** Default: what this machine's resolver gives, in its order. */
  readonly resolve?: (name: string) => Promise<readonly string[]>;
  /** Begins a connection to an address; default: TCP. */
  readonly connect?: (address: string, port: number) => Socket;
}

/**
 * Resolves with a TCP connection to the first address that answers.
 * @throws Error of the system, of the first address where all fail; the signal's reason.
 */
export async function connectHost(options: HostOptions): Promise<Socket> {
  const { host, port, signal, resolve = addressesOf, connect = connectTcp } = options;
  const over = new AbortController();
  const end = (): void => over.abort(signal.reason);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    const found = isIP(host) === 0 ? await unlessOver(resolve(host), over.signal) : [host];
    return await firstConnected(inTurn(found), (address) => {
      over.signal.throwIfAborted();
      return connected(connect(address, port), over.signal);
    });
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof AggregateError ? (error.errors[0] ?? error) : error;
  } finally {
    signal.removeEventListener('abort', end);
    over.abort();
  }
}

async function addressesOf(name: string): Promise<string[]> {
  const found = await lookup(name, { all: true, verbatim: true });
  return found.map(({ address }) => address);
}

function connectTcp(host: string, port: number): Socket {
  return netConnect({ host, port, noDelay: true });
}

/** Each address once, the families in turn (RFC 8305, section 4), and not too many. */
export function inTurn(addresses: readonly string[]): string[] {
  const seen = { 0: 0, 4: 0, 6: 0 };
  return [...new Set(addresses)]
    .map((address) => ({ address, place: seen[isIP(address) as 0 | 4 | 6]++ }))
    .sort((a, b) => a.place - b.place)
    .slice(0, MAX_CANDIDATES)
    .map(({ address }) => address);
}

/** Starts an attempt when the one before has failed or had its time; the first success counts. */
export function firstConnected<T>(
  addresses: readonly string[],
  begin: (address: string) => Promise<T>,
): Promise<T> {
  let turn: Promise<unknown> = Promise.resolve();
  const attempts = addresses.map((address) => {
    const begun = turn.then(() => begin(address));
    turn = turn.then(() => settledOrSlow(begun));
    return begun;
  });
  return Promise.any(attempts);
}

async function settledOrSlow(attempt: Promise<unknown>): Promise<void> {
  const settled = new AbortController();
  const settle = (): void => settled.abort();
  attempt.then(settle, settle);
  await pause(ATTEMPT_DELAY_MS, undefined, { signal: settled.signal }).catch(settle);
}

/** The socket once it is connected; when the signal ends first, it is destroyed. */
function connected(socket: Socket, over: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown): void => {
      over.removeEventListener('abort', onOver);
      socket.off('error', settle).off('connect', onConnect).off('close', onClose);
      if (error === undefined && !over.aborted) resolve(socket);
      else {
        socket.on('error', () => undefined).destroy();
        reject(error ?? over.reason);
      }
    };
    const onConnect = (): void => settle();
    const onClose = (): void => settle(new Error('the connection was closed'));
    const onOver = (): void => settle(over.reason);
    over.addEventListener('abort', onOver, { once: true });
    socket.on('error', settle).on('connect', onConnect).on('close', onClose);
  });
}

function unlessOver<T>(result: Promise<T>, over: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onOver = (): void => reject(over.reason);
    over.addEventListener('abort', onOver, { once: true });
    if (over.aborted) onOver();
    result.then(resolve, reject);
  });
}
