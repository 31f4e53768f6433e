// What the doctor finds out about a STUN server, each as it is met.

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { expect } from 'chai';
import { askStun } from '../../../src/cli/doctor/probe/stun.js';
import { decodeStun, encodeStunSuccess } from '../../../src/protocol/direct/stun.js';

const host = '127.0.0.1';

describe('doctor about a STUN server', () => {
  let server: Socket;
  let port: number;

  beforeEach(async () => {
    server = createSocket('udp4').bind(0, host);
    await once(server, 'listening');
    port = server.address().port;
  });
  afterEach(() => server.close());

  it('says that it answers', async () => {
    server.on('message', (bytes, { address, port: from }) => {
      const { transaction } = decodeStun(bytes)!;
      server.send(encodeStunSuccess(transaction, { address, port: from }), from, address);
    });
    expect(await askStun({ host: 'localhost', port })).to.equal('answers');
  });

  it('says that it is silent, whatever it answers to others', async () => {
    server.on('message', (_bytes, { address, port: from }) => {
      const other = Buffer.alloc(12);
      server.send(encodeStunSuccess(other, { address, port: from }), from, address);
      server.send('garbage', from, address);
    });
    expect(await askStun({ host, port })).to.equal('is silent');
  });

  it('says that nothing listens there', async () => {
    const free = createSocket('udp4').bind(0, host);
    await once(free, 'listening');
    const dead = free.address().port;
    free.close();
    await once(free, 'close');
    expect(await askStun({ host, port: dead })).to.equal('refuses');
  });

  it('says that its name has no address', async () => {
    expect(await askStun({ host: 'nowhere.invalid', port })).to.equal('has no address');
  });
});
