// A page that is told the time, once a second, by Server-Sent Events. The http.Server listens nowhere.
//   node examples/events.mjs       prints its URL, for a browser that uses the proxy, or curl
import { createServer } from 'node:http';
import { createExit } from 'nws';
import { home, relays } from './home.mjs';

const PAGE = `<!doctype html><title>the time</title><h1>…</h1>
<script>new EventSource('/time').onmessage = ({ data }) => (document.querySelector('h1').textContent = data);</script>`;

const server = createServer((req, res) => {
  if (req.url !== '/time') return res.setHeader('Content-Type', 'text/html').end(PAGE);
  res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  const tell = () => res.write(`data: ${new Date().toISOString()}\n\n`);
  const timer = setInterval(tell, 1_000);
  res.once('close', () => clearInterval(timer));
  tell();
});

const exit = await createExit({ home: home('events'), relays });
await exit.serve(server);
console.log(`https://${exit.domain}/`);
process.once('SIGTERM', () => exit.close()).once('SIGINT', () => exit.close());
