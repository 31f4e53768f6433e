// Events that somebody recorded and publishes again: the target never sees a connection or a byte of them.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { encodeName } from '../../src/protocol/names/address.js';
import { outputOf } from '../e2e/support/tools.js';
import { listen, type Running } from '../support/servers.js';
import { onEmbeddedRelay } from '../support/test-relay.js';
import { Eavesdropper } from './support/eavesdropper.js';
import { Processes } from './support/processes.js';
import type { Program } from './support/program.js';

const BODY = 'pay=100&to=bob&'.repeat(5_000);

onEmbeddedRelay(() => {
  describe('events that are published again', function () {
    this.timeout(60_000);
    let target: Running<Server>;
    /** What the target got on each of its connections, in bytes. */
    const connections: { bytes: number }[] = [];
    let processes: Processes;
    /** The entry uses the first alone; a relay passes on no event that it has seen before. */
    let relays: Program[];
    let eavesdroppers: Eavesdropper[];

    before(async () => {
      target = await listen(createServer());
      target.server.on('connection', (socket) => {
        const connection = { bytes: 0 };
        connections.push(connection);
        socket.on('data', (data) => {
          connection.bytes += data.length;
        });
      });
      processes = await Processes.create();
      relays = await Promise.all([processes.relay(), processes.relay(), processes.relay()]);
      const urls = relays.map(({ ready }) => ready.url!);
      // Bytes as they are: whatever came over the tunnel twice would show at the target.
      await processes.serve(`tcp://127.0.0.1:${target.port}`, ...urls);
      eavesdroppers = await Promise.all(urls.map((url) => Eavesdropper.at(url)));
    });
    after(async () => {
      for (const eavesdropper of eavesdroppers) eavesdropper.close();
      await processes.close();
      await target.close();
    });

    /** Publishes what passed over the first relay so far, on that one and on another. */
    async function replay(other: 1 | 2): Promise<void> {
      const events = [...eavesdroppers[0]!.events];
      expect(events).to.not.be.empty;
      for (const index of [0, other]) await eavesdroppers[index]!.publish(events);
    }

    /** A POST that the target has read whole and whose answer is still to be written. */
    async function post() {
      const asked = once(target.server, 'request') as Promise<[IncomingMessage, ServerResponse]>;
      const { pubkey } = processes.exit.ready;
      const name = encodeName({ pubkey: pubkey!, relays: [relays[0]!.ready.url!] });
      const child = processes.curl('--proxytunnel', '--data-binary', '@-', `http://${name}/pay`);
      child.stdin.end(BODY);
      const [request, response] = await asked;
      expect(await text(request)).to.equal(BODY);
      return { response, output: outputOf(child) };
    }

    /** One more request: relays keep the order, so what was replayed before has been dealt with when it is done. */
    async function passes(): Promise<void> {
      const { response, output } = await post();
      response.end('thanks\n');
      expect(await output).to.include({ status: 0, stdout: 'thanks\n' });
    }

    it('while the stream is open and after its end: each request reaches the target once', async () => {
      const { response, output } = await post();
      const bytes = connections[0]!.bytes;
      expect(bytes).to.be.above(BODY.length);
      await replay(1);
      await passes();
      expect(connections).to.deep.equal([{ bytes }, { bytes }]);
      response.end('thanks\n');
      expect(await output).to.include({ status: 0, stdout: 'thanks\n' });
      await replay(2);
      await passes();
      expect(connections).to.deep.equal([{ bytes }, { bytes }, { bytes }]);
    });

    it('after the exit was started again, over relays that have never seen them', async () => {
      connections.length = 0;
      await passes();
      const bytes = connections[0]!.bytes;
      const events = eavesdroppers[0]!.events;
      const ended = [...relays, processes.exit].map((program) => program.end('SIGKILL'));
      await Promise.all(ended);
      await Promise.all(relays.map((relay) => processes.relayAgain(relay)));
      await processes.exitAgain();
      for (const eavesdropper of eavesdroppers) eavesdropper.close();
      eavesdroppers = await Promise.all(
        relays.map(({ ready }) => Eavesdropper.at(String(ready.url))),
      );
      await Promise.all(eavesdroppers.map((eavesdropper) => eavesdropper.publish(events)));
      await passes();
      expect(connections).to.deep.equal([{ bytes }, { bytes }]);
    });
  });
});
