// What the exit stands in front of: a page, and as many bytes as are asked for.

import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { bytes } from './bytes.js';

const server = createServer((req, res) => {
  const [, count] = /^\/bytes\/(\d+)$/.exec(req.url ?? '') ?? [];
  if (count === undefined) {
    res.end('from behind\n');
    return;
  }
  res.writeHead(200, { 'Content-Length': count });
  Readable.from(bytes(Number(count))).pipe(res);
});
server.listen(8080, '127.0.0.1', () => process.stdout.write('{}\n'));
