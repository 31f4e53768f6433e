// Which addresses are told, which are asked, and what a STUN server may do.

import { expect } from 'chai';
import type { Endpoint } from '../../../src/protocol/direct/endpoint.js';
import { decodeStun, encodeStunSuccess } from '../../../src/protocol/direct/stun.js';
import {
  Candidates,
  type CandidatesOptions,
} from '../../../src/tunnel/direct/meeting/candidates.js';
import { isPublic, judgeOf } from '../../../src/tunnel/direct/meeting/judge.js';
import { StunClient } from '../../../src/tunnel/direct/meeting/stun-client.js';

const OWN = ['127.0.0.1/8', '192.168.1.5/24', '9.9.9.9/24', 'fd00::5/64', 'fe80::1/64'];
const at = (address: string, port = 5_000): Endpoint => ({ address, port });

describe('addresses that the other side names', () => {
  const strict = judgeOf(
    (endpoint) => isPublic(endpoint, OWN),
    false,
    () => OWN,
  );
  const local = judgeOf(
    (endpoint) => isPublic(endpoint, OWN),
    true,
    () => OWN,
  );

  for (const address of ['8.8.8.8', '2a00::1', '64:ff9b::808:808']) {
    it(`${address} is asked`, () => expect(strict(at(address))).to.equal(true));
  }

  for (const address of [
    ...['127.0.0.1', '10.0.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '224.0.0.251'],
    ...['255.255.255.255', '0.0.0.0', '9.9.9.1', '::1', 'fd00::1', 'fe80::1', 'ff02::fb'],
    ...['::ffff:10.0.0.1', '64:ff9b::a00:1', '2002:a00:1::1', 'garbage', ''],
  ]) {
    it(`${address || 'nothing'} is not asked`, () => expect(strict(at(address))).to.equal(false));
  }

  it('local ones are asked where settings say so: own networks, and no port of a service', () => {
    expect(local(at('192.168.1.77'))).to.equal(true);
    expect(local(at('fd00::77'))).to.equal(true);
    expect(local(at('192.168.1.77', 53))).to.equal(false);
    expect(local(at('192.168.2.77'))).to.equal(false);
    expect(local(at('10.0.0.1'))).to.equal(false);
    expect(local(at('224.0.0.251'))).to.equal(false);
  });
});

describe('addresses that are told', () => {
  const answers: Record<string, Endpoint | undefined> = {
    '8.8.4.4': at('8.8.1.1', 7_000),
    '8.8.4.5': at('8.8.1.1', 7_001),
    '8.8.4.6': at('8.8.1.1', 7_000),
  };
  const options: CandidatesOptions = {
    stun: { ask: async ({ address }) => answers[address] },
    ...{ servers: [], address: undefined, local: undefined, port: 6_000 },
  };
  const find = (over: Partial<CandidatesOptions>, theirs: string[] = []) =>
    new Candidates({ ...options, ...over }).find(
      theirs.map((host) => ({ host, port: 3_478 })),
      ({ address }) => address.startsWith('8.'),
    );

  it('are none where nothing says what they are', async () => {
    expect((await find({})).candidates).to.deep.equal([]);
  });

  it('are what a STUN server saw, and the one that is configured', async () => {
    const servers = [{ host: '8.8.4.4', port: 3_478 }];
    const found = await find({ servers, address: { host: '203.0.113.7', port: 9_000 } });
    expect(found.candidates).to.deep.equal(['203.0.113.7:9000', '8.8.1.1:7000']);
    expect(found).to.include({ stunAsked: 1, stunAnswered: 1, isSymmetric: undefined });
  });

  it('show a symmetric NAT by two ports', async () => {
    expect(await find({}, ['8.8.4.4', '8.8.4.5'])).to.include({ isSymmetric: true });
  });

  it('show a NAT that keeps its port by two servers with addresses of their own', async () => {
    expect(await find({}, ['8.8.4.4', '8.8.4.6'])).to.include({ isSymmetric: false });
    expect(await find({}, ['8.8.4.4', '8.8.4.4'])).to.include({ isSymmetric: undefined });
    expect(await find({}, ['8.8.4.4', '8.8.4.7'])).to.include({ isSymmetric: undefined });
  });

  it('come from no server of the other side that may not be asked', async () => {
    expect(await find({}, ['10.0.0.1', '127.0.0.1'])).to.include({ stunAsked: 0 });
  });

  it('are local ones only where settings say so, and none that mean nothing elsewhere', async () => {
    const found = await find({ local: () => OWN });
    expect(found.candidates).to.deep.equal([
      ...['192.168.1.5:6000', '9.9.9.9:6000', '[fd00::5]:6000'],
    ]);
  });
});

describe('a STUN server', () => {
  const server = at('8.8.4.4', 3_478);

  function ask(answerFrom: Endpoint, change: (bytes: Buffer) => Buffer) {
    let receive: (bytes: Buffer, from: Endpoint) => boolean = () => false;
    const client = new StunClient({
      send: (bytes) => {
        const request = decodeStun(bytes)!;
        receive(change(encodeStunSuccess(request.transaction, at('8.8.1.1'))), answerFrom);
      },
      onDatagram: (receiver) => {
        receive = receiver;
      },
    });
    return client.ask(server);
  }

  it('is believed when it answers', async () => {
    expect(await ask(server, (bytes) => bytes)).to.deep.equal(at('8.8.1.1'));
  });

  it('is not taken for another one, nor for an answer to another question', async () => {
    const fromElsewhere = ask(at('8.8.4.5', 3_478), (bytes) => bytes);
    const toAnother = ask(server, (bytes) => {
      bytes[8]! ^= 1;
      return bytes;
    });
    expect(await Promise.all([fromElsewhere, toAnother])).to.deep.equal([undefined, undefined]);
  });
});
