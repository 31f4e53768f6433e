// Fifty connections on which somebody types, and one bulk download, share one link: nobody waits for the bulk.

import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { expect } from 'chai';
import { generated } from '../e2e/support/bytes.js';
import { listenTcp, type Running } from '../support/servers.js';
import { Processes } from './support/processes.js';

const BULK_BYTES = 20_000_000;
const TYPISTS = 50;
const KEYSTROKES = 3;

describe('a link that is shared', function () {
  this.timeout(60_000);
  let target: Running<Server>;
  let processes: Processes;

  before(async () => {
    target = await listenTcp((socket) => {
      // The first byte says what is wanted: everything, or an echo of each byte.
      socket.once('data', (first) => {
        if (String(first) === 'b') generated(BULK_BYTES).pipe(socket);
        else socket.write(first);
        socket.on('data', (data) => socket.write(data));
      });
    });
    processes = await Processes.create();
    const relay = await processes.anyRelay('--delay', '100');
    await processes.serve(`tcp://127.0.0.1:${target.port}`, relay);
  });
  after(async () => {
    await processes.close();
    await target.close();
  });

  async function type(socket: Socket): Promise<void> {
    socket.write('k');
    expect(String((await once(socket, 'data'))[0])).to.equal('k');
  }

  it('answers every keystroke of fifty while a download goes on', async () => {
    const sockets = await Promise.all(Array.from({ length: TYPISTS }, () => processes.connect()));
    await Promise.all(sockets.map(type));
    const bulk = await processes.connect();
    let received = 0;
    bulk.on('data', (data) => {
      received += data.length;
    });
    bulk.write('b');
    await once(bulk, 'data');
    await Promise.all(
      sockets.map(async (socket) => {
        for (let count = 0; count < KEYSTROKES; count += 1) await type(socket);
      }),
    );
    expect(received).to.be.within(1, BULK_BYTES - 1);
    await once(bulk, 'end');
    expect(received).to.equal(BULK_BYTES);
    for (const socket of [bulk, ...sockets]) socket.destroy();
  });
});
