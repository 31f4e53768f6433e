// fetch() of a name: an entry in this process, and undici's dispatcher through it.
//   node examples/fetch.mjs https://<name>.nostr/
import { createDispatcher, createProxy } from 'nws';
import { fetch } from 'undici';
import { home } from './home.mjs';

const [url] = process.argv.slice(2);
const proxy = await createProxy({ home: home('entry') });
const dispatcher = await createDispatcher(proxy);
try {
  const response = await fetch(url, { dispatcher });
  console.log(response.status, await response.text());
} finally {
  await dispatcher.close();
  await proxy.close();
}
