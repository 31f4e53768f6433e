// Somebody who knows the key of another client's stream, and every event of it: under a pubkey of its own, on the
// list of clients or not, it can neither open, nor disturb, nor learn of that stream.

import { randomUUID } from 'node:crypto';
import type { Server, Socket } from 'node:net';
import { expect } from 'chai';
import type { Event as NostrEvent } from 'nostr-tools';
import { createSigner, generateSecretKey } from '../../src/index.js';
import { KIND, messageEvent } from '../../src/protocol/wire/events.js';
import type { Message } from '../../src/protocol/wire/message.js';
import { bytesAt, Rogue } from '../chaos/support/rogue.js';
import { listenTcp, type Running } from '../support/servers.js';
import { embeddedIn, onEmbeddedRelay } from '../support/test-relay.js';
import { until } from '../support/until.js';
import { CarelessRelay } from './support/careless-relay.js';
import { nowS } from './support/rogue-exit.js';
import { SharedExit } from './support/shared-exit.js';

const WINDOW = 2 ** 20;

onEmbeddedRelay(() => {
  describe('beside the stream of a client', function () {
    this.timeout(60_000);
    let target: Running<Server>;
    /** What came in on each connection of the target. */
    let received: string[];
    let shared: SharedExit;
    /** The exit's other relay, which passes on whatever it is given. */
    let careless: CarelessRelay;
    let client: Rogue;
    let neighbour: Rogue;
    let stranger: Rogue;
    /** Of the client's stream. */
    let key: string;
    let echoed: number;
    /** What the client has published. */
    let events: NostrEvent[];

    beforeEach(async () => {
      [received, events, echoed] = [[], [], 0];
      target = await listenTcp((socket) => echo(socket));
      shared = await SharedExit.create();
      careless = await CarelessRelay.start();
      const { url } = shared.relay;
      client = await Rogue.at(url);
      // On the careless relay, so that its answers show that the exit has read everything there.
      neighbour = await Rogue.at(careless.url);
      stranger = await Rogue.at(url);
      await shared.open(`tcp://127.0.0.1:${target.port}`, {
        relays: [url, careless.url],
        allowClients: new Set([client.pubkey, neighbour.pubkey]),
      });
      embeddedIn(shared.relay).on('event', (event) => {
        if (event.kind === KIND.message && event.pubkey === client.pubkey) events.push(event);
      });
      [key = ''] = await client.open(shared.pubkey, '', 1, WINDOW);
      await until(() => client.count('OPEN', [key]) === 1);
      await goesOn();
    });
    afterEach(async () => {
      for (const rogue of [client, neighbour, stranger]) await rogue.close();
      await shared.close();
      await careless.close();
      await target.close();
    });

    function echo(socket: Socket): void {
      const index = received.push('') - 1;
      socket.on('data', (data) => {
        received[index] = `${received[index]}${data}`;
      });
      socket.pipe(socket);
    }

    /** The client writes one more letter, and gets it back. */
    async function goesOn(): Promise<void> {
      const offset = echoed++;
      const letter = String.fromCharCode(97 + offset);
      await client.send(shared.pubkey, bytesAt(key, offset, Buffer.from(letter), WINDOW));
      const isBack = (message: Message): boolean =>
        message.type === 'DATA' &&
        message.offset <= offset &&
        String(message.data).at(offset - message.offset) === letter;
      await until(() => client.heard.some(isBack));
      expect(received[0]).to.equal('abcdefghijklmnopqrstuvwxyz'.slice(0, echoed));
      expect(client.resets).to.deep.equal([]);
    }

    /** Everything that might have to do with a stream of this key. */
    function attempts(of: string): Message[] {
      const window = { ack: 1, window: WINDOW };
      const evil = Buffer.from('evil');
      const opening = { key: of, destination: '', v: 1, window: WINDOW };
      return [
        { type: 'DATA', key: of, offset: echoed, data: evil, fin: true, ...window },
        { type: 'DATA', key: of, offset: 2 ** 40, data: evil, fin: false, ...window },
        { type: 'PLAIN', key: of, data: evil },
        { type: 'ACK', key: of, ack: 2 ** 40, window: 0 },
        { type: 'OPEN', key: of, v: 1, window: 0 },
        { type: 'RESET', key: of, error: 'connection_terminated' },
        { type: 'CONNECT', ...opening },
        { type: 'CONNECTR', ...opening, entryPublicAddress: `127.0.0.1:${target.port}` },
        { type: 'RESET', key: of, error: 'connection_terminated' },
      ];
    }

    /** Resolves when the exit has read what the neighbour has sent, and all that its relay passed on before. */
    async function read(): Promise<void> {
      const ping = randomUUID();
      await neighbour.send(shared.pubkey, { type: 'PING', key: ping });
      await until(() => neighbour.count('PONG', [ping]) === 1);
    }

    it('a stranger hears once that it may not come, and nothing else ever', async () => {
      for (let round = 0; round < 3; round += 1) {
        for (const message of attempts(key)) await stranger.send(shared.pubkey, message);
        await stranger.send(shared.pubkey, ...attempts(key));
        await stranger.send(shared.pubkey, { type: 'PING', key: randomUUID() });
        await goesOn();
      }
      expect(stranger.heard.map(({ type }) => type)).to.deep.equal(['RESET']);
      expect(stranger.resets).to.deep.equal(['http_request_denied']);
      expect(received).to.have.length(1);
      expect(shared.exit.sums).to.deep.include({ opened: 1, open: 1, refused: {}, failed: {} });
      expect(shared.exit.streams).to.equal(1);
    });

    it('another client on the list opens its own, and sees no difference to a key that nobody uses', async () => {
      const answers = async (of: string): Promise<object[]> => {
        const before = neighbour.heard.length;
        // The opening later: it makes a stream of its own. So does the RESET, ahead of which it would make none.
        const ahead = attempts(of).filter(({ type }) => !/^(CONNECT|RESET)/.test(type));
        for (const message of ahead) await neighbour.send(shared.pubkey, message);
        await read();
        return neighbour.heard
          .slice(before)
          .filter(({ type }) => type !== 'PONG')
          .map((message) => ({ ...message, key: '' }));
      };
      const unknown = await answers(randomUUID());
      expect(unknown).to.not.deep.equal([]);
      expect(await answers(key)).to.deep.equal(unknown);
      await goesOn();
      const opening = { key, destination: '', v: 1, window: WINDOW };
      await neighbour.send(shared.pubkey, { type: 'CONNECT', ...opening });
      await until(() => neighbour.count('OPEN', [key]) === 1);
      await neighbour.send(shared.pubkey, bytesAt(key, 0, Buffer.from('mine')));
      await until(() => received[1] === 'mine');
      await neighbour.send(shared.pubkey, { type: 'RESET', key, error: 'connection_terminated' });
      await until(() => shared.exit.streams === 1);
      await goesOn();
    });

    it('events that are repeated, forged, or copied under another key do nothing', async () => {
      const copier = createSigner(generateSecretKey());
      const heard = client.heard.filter(({ type }) => type === 'OPEN').length;
      for (const event of [...events]) {
        const { content } = event;
        careless.inject(event);
        careless.inject({ ...event, pubkey: neighbour.pubkey });
        careless.inject({ ...event, pubkey: copier.pubkey });
        // Read rightly, it would open a stream or write into one.
        careless.inject(copier.sign(messageEvent(shared.pubkey, content, nowS())));
      }
      await read();
      await goesOn();
      expect(received).to.have.length(1);
      expect(client.heard.filter(({ type }) => type === 'OPEN')).to.have.length(heard);
      expect(neighbour.heard.map(({ type }) => type)).to.deep.equal(['PONG']);
      expect(shared.lines('turned away')).to.deep.equal([]);
      expect(shared.exit.sums).to.deep.include({ opened: 1, open: 1, refused: {}, failed: {} });
    });
  });
});
