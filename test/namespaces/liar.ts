// STUN servers that are of no use, each on a port of its own and with a habit of its own.
// argv: address, then `port=habit` or `port=habit:address:port` each

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { endpointOf } from '../../src/protocol/direct/endpoint.js';
import { decodeStun, encodeStunSuccess } from '../../src/protocol/direct/stun.js';

const [host, ...servers] = process.argv.slice(2);
const stranger = createSocket('udp4').bind(0, host);

for (const server of servers) {
  const [, at, habit, address = '8.8.7.2', port = '9'] =
    /^(\d+)=([a-z-]+)(?::([^:]+):(\d+))?$/.exec(server)!;
  const socket = createSocket('udp4').bind(Number(at), host);
  let answers = 0;
  socket.on('message', (bytes, from) => {
    const request = decodeStun(bytes);
    if (request === undefined || habit === 'silent') return;
    // Of one that changes its mind, each answer has another port.
    const says = endpointOf(address, Number(port) + (habit === 'changes' ? answers : 0))!;
    answers += 1;
    const answer = encodeStunSuccess(request.transaction, says);
    if (habit === 'wrong-id') answer[8]! ^= 1;
    if (habit === 'garbage') answer.fill(0xa5, 20);
    (habit === 'elsewhere' ? stranger : socket).send(answer, from.port, from.address);
    // Once more, with another address: the first one counts.
    if (habit !== 'changes') return;
    const more = encodeStunSuccess(request.transaction, endpointOf(address, 60_000)!);
    socket.send(more, from.port, from.address);
  });
  await once(socket, 'listening');
}
process.stdout.write('{}\n');
