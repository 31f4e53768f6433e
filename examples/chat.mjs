// A WebSocket server by name: what one client says, all hear.
//   node examples/chat.mjs         prints its URL; then: node examples/agent.mjs URL
import { createServer } from 'node:http';
import { createExit } from 'nws';
import { WebSocketServer } from 'ws';
import { home, relays } from './home.mjs';

const server = createServer((_req, res) => res.end('a WebSocket is at this address\n'));
const room = new WebSocketServer({ server, maxPayload: 65_536 });
room.on('connection', (socket) => {
  socket.on('error', () => socket.terminate());
  socket.on('message', (data) => {
    for (const client of room.clients) client.send(String(data));
  });
});

const exit = await createExit({ home: home('chat'), relays });
await exit.serve(server);
console.log(`https://${exit.domain}/`);
process.once('SIGTERM', () => exit.close()).once('SIGINT', () => exit.close());
