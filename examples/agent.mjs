// node:https and a WebSocket by an agent: whatever in Node takes an http.Agent reaches names by it.
//   node examples/agent.mjs https://<name>.nostr/
import { once } from 'node:events';
import { get } from 'node:https';
import { text } from 'node:stream/consumers';
import { createAgent, createProxy } from 'nws';
import { WebSocket } from 'ws';
import { home } from './home.mjs';

const [url] = process.argv.slice(2);
const proxy = await createProxy({ home: home('entry') });
const agent = await createAgent(proxy);
try {
  const [response] = await once(get(url, { agent }), 'response');
  console.log(response.statusCode, await text(response));
  const socket = new WebSocket(url.replace('https:', 'wss:'), { agent });
  await once(socket, 'open');
  socket.send('hello');
  const [said] = await once(socket, 'message');
  console.log(`heard: ${said}`);
  socket.close();
  await once(socket, 'close');
} finally {
  agent.destroy();
  await proxy.close();
}
