// A relay for a host of its own; `nws relay` listens on loopback alone. It answers STUN, and tells its sums on the
// next port.

import { createServer } from 'node:http';
import { MemoryRelay } from '../../src/relay/embedded/memory-relay.js';

const PORT = 7777;

const [mode] = process.argv.slice(2);
const relay = await MemoryRelay.start({ host: '::', port: PORT, stun: mode !== 'no-stun' });
const sums = createServer((_req, res) => res.end(JSON.stringify(relay.stats)));
sums.listen(PORT + 1, '::', () => process.stdout.write(`${JSON.stringify({ url: relay.url })}\n`));
