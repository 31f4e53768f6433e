// A web server without a port: a function from Request to Response, reached by the exit's name.
//   node examples/hello.mjs        prints its URL; then: node examples/fetch.mjs URL
import { createExit } from 'nws';
import { home, relays } from './home.mjs';

const exit = await createExit({ home: home('hello'), relays });
await exit.serve(async (request) => {
  const { pathname } = new URL(request.url);
  if (pathname === '/echo') return new Response(request.body);
  return Response.json({ hello: request.headers.get('x-nostr-entry'), path: pathname });
});
console.log(`https://${exit.domain}/`);
process.once('SIGTERM', () => exit.close()).once('SIGINT', () => exit.close());
