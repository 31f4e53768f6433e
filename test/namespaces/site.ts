// What the exit stands in front of.

import { createServer } from 'node:http';

const server = createServer((_req, res) => res.end('from behind\n'));
server.listen(8080, '127.0.0.1', () => process.stdout.write('{}\n'));
