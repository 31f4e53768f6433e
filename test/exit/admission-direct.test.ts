// The connections back to clients that an exit keeps: so many of all clients together, and none that is made when the
// exit has closed.

import type { Server } from 'node:net';
import { expect } from 'chai';
import { pino } from 'pino';
import { Admission } from '../../src/exit/admission.js';
import { DEFAULT_CLIENT_LIMITS } from '../../src/exit/clients/clients.js';
import { Policy } from '../../src/exit/policy/policy.js';
import { parseRule } from '../../src/exit/policy/rules.js';
import type { IncomingStream } from '../../src/tunnel/session.js';
import { type FakeIncoming, fakeIncoming } from '../support/incoming.js';
import { listenTcp, type Running } from '../support/servers.js';
import { until } from '../support/until.js';

const ACCEPTED = Buffer.of(1);

describe('connections back to clients', () => {
  let entry: Running<Server>;
  /** Answers a client's key, when it may. */
  let answers: (() => void)[];
  let served: IncomingStream[];
  let admission: Admission;

  beforeEach(async () => {
    [answers, served] = [[], []];
    entry = await listenTcp((socket) => {
      socket.once('data', () => answers.push(() => void socket.write(ACCEPTED)));
    });
    const allow = [parseRule(`127.0.0.1:${entry.port}`)];
    const none = { isPublic: false, deny: [], ownAddresses: () => [] };
    admission = new Admission({
      policy: new Policy({ ownPubkey: '0'.repeat(64), allow, ...none }),
      clientLimits: DEFAULT_CLIENT_LIMITS,
      own: { serve: (incoming) => void served.push(incoming), close: async () => undefined },
      maxDirect: 2,
      log: pino({ level: 'silent' }),
    });
  });
  afterEach(async () => {
    await admission.close(0);
    await entry.close();
  });

  function ask(peer: string): FakeIncoming {
    const fake = fakeIncoming('');
    const reverse = { address: `127.0.0.1:${entry.port}`, secret: undefined };
    admission.take({ ...fake.incoming, peer: peer.repeat(64), reverse });
    return fake;
  }

  it('are so many at once, whoever they lead to', async () => {
    for (const peer of ['a', 'b']) ask(peer);
    await until(() => answers.length === 2);
    for (const answer of answers) answer();
    await until(() => served.length === 2);
    expect((await ask('c').refused).code).to.equal('connection_limit_reached');
    for (const socket of entry.sockets) socket.resetAndDestroy();
    await until(() => admission.direct === 0);
    ask('c');
    await until(() => answers.length === 3);
    answers[2]!();
    await until(() => served.length === 3);
  });

  it('are not kept where the exit has closed before they were there', async () => {
    const { refused } = ask('a');
    await until(() => answers.length === 1);
    await admission.close(0);
    answers[0]!();
    expect((await refused).code).to.equal('shutting_down');
    expect(served).to.deep.equal([]);
    expect(admission.direct).to.equal(0);
  });
});
