// How long connections are kept between requests, and what clients are told of it.

import { Agent, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { expect } from 'chai';
import { Connections } from '../../../src/exit/targets/connections.js';
import { createFront, IDLE_SLACK_MS } from '../../../src/http/h1/front.js';
import { duplexPair } from '../../support/duplex-pair.js';
import { readAll } from '../../support/read-all.js';
import { listen } from '../../support/servers.js';
import { ManualTimers, settle } from '../../support/simulator/manual-timers.js';
import { until } from '../../support/until.js';

const ANNOUNCED_MS = 60_000;

describe('connections between requests', () => {
  it('are kept for longer than http/h1/front tells clients, and for no time during requests', async () => {
    const timeouts: (number | undefined)[] = [];
    const onRequest = (req: IncomingMessage, res: ServerResponse): void => {
      timeouts.push(req.socket.timeout);
      res.end('ok');
    };
    const unused = (): void => undefined;
    const front = createFront(
      { onRequest, onUpgrade: unused, onClientError: unused },
      { keepAliveTimeout: ANNOUNCED_MS },
    );
    const { port, sockets, close } = await listen(front);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let n = 0; n < 2; n += 1) {
      const answer = await new Promise<IncomingMessage>((resolve) => {
        get({ host: '127.0.0.1', port, agent }, resolve);
      });
      await readAll(answer);
      expect(answer.headers['keep-alive']).to.equal(`timeout=${ANNOUNCED_MS / 1_000}`);
      const [socket] = sockets as Set<Socket>;
      await until(() => (socket?.timeout ?? 0) > 0);
      expect(socket!.timeout).to.equal(ANNOUNCED_MS + IDLE_SLACK_MS);
    }
    expect(timeouts.map((timeout) => timeout ?? 0)).to.deep.equal([0, 0]);
    agent.destroy();
    await close();
  });

  it('are kept by an exit for ten seconds more than the 75 that it tells clients', async () => {
    const timers = new ManualTimers();
    try {
      const [client, socket] = duplexPair();
      client.on('error', () => undefined).resume();
      new Connections().add(socket.resume(), 'entry');
      await timers.pass(84_000);
      expect(socket.writableEnded).to.equal(false);
      await timers.pass(2_000);
      await settle();
      expect(socket.writableEnded).to.equal(true);
    } finally {
      timers.restore();
    }
  });
});
