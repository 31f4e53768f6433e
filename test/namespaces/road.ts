// A long road for datagrams: what comes to its port goes on to one address, later, and some of it not at all. Its other
// side is a port of its own, so that answers come back the same way.
// argv: address, port, host:port to pass on to, ms each way, share that is lost

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { random as seeded } from '../support/random.js';

const [address, port, to, delayMs, loss] = process.argv.slice(2);
const [toHost, toPort] = to!.split(':');
const random = seeded(7);
const near = createSocket({ type: 'udp4', recvBufferSize: 4_000_000 });
const far = createSocket({ type: 'udp4', recvBufferSize: 4_000_000 });
let client: RemoteInfo | undefined;

interface Waiting {
  readonly at: number;
  readonly bytes: Buffer;
  readonly socket: Socket;
}
const queue: Waiting[] = [];

function pass(bytes: Buffer, socket: Socket): void {
  if (random.next() >= Number(loss))
    queue.push({ at: performance.now() + Number(delayMs), bytes, socket });
}
near.on('message', (bytes, from) => {
  client = from;
  pass(bytes, far);
});
far.on('message', (bytes) => pass(bytes, near));

setInterval(() => {
  const now = performance.now();
  let count = 0;
  while (count < queue.length && queue[count]!.at <= now) {
    const { bytes, socket } = queue[count]!;
    count += 1;
    if (socket === far) far.send(bytes, Number(toPort), toHost);
    else if (client !== undefined) near.send(bytes, client.port, client.address);
  }
  queue.splice(0, count);
}, 1);
far.bind(0, address);
near.bind(Number(port), address, () => process.stdout.write('{}\n'));
