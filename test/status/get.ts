// GET on a connection of its own, which nothing keeps behind it.

import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

export function ask(
  url: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(url, { headers, method, agent: false }, resolve).on('error', reject).end();
  });
}

export async function getText(url: string): Promise<string> {
  return text(await ask(url));
}
