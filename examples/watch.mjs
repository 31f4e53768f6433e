// An entry on a port that tells what goes on: one line of JSON for each stream, relay and pin that comes or goes.
//   node examples/watch.mjs        prints the proxy's address first
import { createProxy } from 'nws';
import { home } from './home.mjs';

const proxy = await createProxy({ home: home('entry') });
for (const name of ['stream', 'relay', 'pin']) {
  proxy.events.on(name, (event) => console.log(JSON.stringify({ event: name, ...event })));
}
console.log(JSON.stringify({ event: 'ready', url: proxy.url, caPath: proxy.caPath }));
process.once('SIGTERM', () => proxy.close()).once('SIGINT', () => proxy.close());
