// A relay for a host of its own; `nws relay` listens on loopback alone.

import { MemoryRelay } from '../../src/relay/embedded/memory-relay.js';

const relay = await MemoryRelay.start({ host: '0.0.0.0', port: 7777 });
process.stdout.write(`${JSON.stringify({ url: relay.url })}\n`);
