// A STUN server alone. argv: address, port

import { StunServer } from '../../src/relay/embedded/stun-server.js';

const [host, port] = process.argv.slice(2);
await StunServer.start({ host, port: Number(port) });
process.stdout.write('{}\n');
