import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { expect } from 'chai';
import { decodeStun, encodeStunRequest } from '../../../src/protocol/direct/stun.js';
import { MemoryRelay } from '../../../src/relay/embedded/memory-relay.js';
import { StunServer } from '../../../src/relay/embedded/stun-server.js';
import { errorOf } from '../../support/expect-error.js';

const TRANSACTION = Buffer.from('0123456789ab');

describe('the STUN server of the embedded relay', () => {
  let server: StunServer;
  let client: Socket;

  beforeEach(async () => {
    server = await StunServer.start({ host: '127.0.0.1', port: 0 });
    client = createSocket('udp4');
    client.bind(0, '127.0.0.1');
    await once(client, 'listening');
  });
  afterEach(async () => {
    client.close();
    await server.close();
  });

  const send = (bytes: Buffer): void => client.send(bytes, server.port, '127.0.0.1');

  it('says where a question came from', async () => {
    send(encodeStunRequest(TRANSACTION));
    const [bytes] = (await once(client, 'message')) as [Buffer];
    const mapped = { address: '127.0.0.1', port: client.address().port };
    expect(decodeStun(bytes)).to.deep.equal({ kind: 'success', transaction: TRANSACTION, mapped });
    expect(bytes).to.have.length(32);
  });

  it('answers nothing else, and one address only so often', async () => {
    let answers = 0;
    client.on('message', () => {
      answers += 1;
    });
    for (let count = 0; count < 50; count += 1) send(Buffer.alloc(count, count));
    for (let count = 0; count < 200; count += 1) send(encodeStunRequest(TRANSACTION));
    // What comes behind shows that all of it was looked at, at the latest when a new second has begun.
    const last = Buffer.from('the last one');
    while (answers === 0 || !(await isAnswered(last)))
      await new Promise((resolve) => setImmediate(resolve));
    expect(answers).to.be.below(100);
  });

  async function isAnswered(transaction: Buffer): Promise<boolean> {
    send(encodeStunRequest(transaction));
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), 100);
      client.once('message', (bytes: Buffer) => {
        clearTimeout(timer);
        resolve(decodeStun(bytes)?.transaction.equals(transaction) ?? false);
      });
    });
  }

  it('says when its port is taken, and takes the relay along', async () => {
    const error = await errorOf(() => StunServer.start({ host: '127.0.0.1', port: server.port }));
    expect(error).to.include({ code: 'address_in_use' });
  });

  it('is on the port of the relay', async () => {
    const relay = await MemoryRelay.start({ stun: true });
    try {
      const port = Number(new URL(relay.url).port);
      client.send(encodeStunRequest(TRANSACTION), port, '127.0.0.1');
      await once(client, 'message');
    } finally {
      await relay.close();
    }
  });
});
