// A function from Request to Response (the Fetch standard's) as a server of node:http. Bodies stream both ways.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';

/**
 * Answers a request. Its `signal` is aborted when the client leaves before it has the whole answer. One that throws
 * answers 500. Who asks is in the field `x-nostr-entry`: the public key, in hex, of the client's entry.
 */
export type FetchHandler = (request: Request) => Response | Promise<Response>;

export function fetchServer(handler: FetchHandler): Server {
  return createServer((req, res) => void answer(handler, req, res));
}

async function answer(
  handler: FetchHandler,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const leaving = new AbortController();
  res.once('close', () => res.writableFinished || leaving.abort());
  let request: Request;
  try {
    request = requestOf(req, leaving.signal);
  } catch {
    res.writeHead(400).end('the request is none that fetch() knows\n');
    return;
  }
  try {
    await send(await handler(request), req, res);
  } catch (error) {
    if (!hasLeft(error)) process.emitWarning(`an exit's handler has failed: ${told(error)}`);
    if (res.headersSent) res.destroy();
    else res.writeHead(500).end('the server has failed\n');
  }
}

/** What a host may be made of: a client could write more into the URL otherwise. */
const HOST = /^[\w.:[\]-]+$/;

/** @throws TypeError of what has no place in a Request: a method like TRACE, a host that is none. */
function requestOf(req: IncomingMessage, signal: AbortSignal): Request {
  const { method = 'GET', url: path = '/', headers, rawHeaders } = req;
  const { host = '' } = headers;
  if (!HOST.test(host)) throw new TypeError('no host');
  const scheme = headers['x-forwarded-proto'] === 'https' ? 'https' : 'http';
  // Not relative to a base: a path may begin with two slashes, and would be a host.
  const url = new URL(`${scheme}://${host}${path === '*' ? '/' : path}`);
  const fields = new Headers();
  for (let at = 0; at < rawHeaders.length; at += 2)
    fields.append(rawHeaders[at]!, rawHeaders[at + 1]!);
  if (method === 'GET' || method === 'HEAD')
    return new Request(url, { method, headers: fields, signal });
  const body = Readable.toWeb(req) as ReadableStream<Uint8Array>;
  return new Request(url, { method, headers: fields, signal, body, duplex: 'half' });
}

async function send(response: Response, req: IncomingMessage, res: ServerResponse): Promise<void> {
  for (const [name, value] of response.headers) res.appendHeader(name, value);
  res.writeHead(response.status, response.statusText || undefined);
  const body = response.body as ReadableStream<Uint8Array> | null;
  if (body === null || req.method === 'HEAD') {
    await body?.cancel();
    res.end();
    return;
  }
  res.flushHeaders(); // a stream of events may be silent for long
  await pipeline(Readable.fromWeb(body), res);
}

/** Whether it is only that the client didn't wait for the answer. */
function hasLeft(error: unknown): boolean {
  const { name, code } = (error ?? {}) as NodeJS.ErrnoException;
  return name === 'AbortError' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}

function told(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
