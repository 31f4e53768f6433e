// What a program hears from its entry and exit: streams, relays and pins.

import { once } from 'node:events';
import { expect } from 'chai';
import { fetch } from 'undici';
import type { NwsEvents } from '../../src/index.js';
import { until } from '../support/until.js';
import { Library } from './library.js';

describe('the library: events', () => {
  let library: Library;

  beforeEach(async () => {
    library = await Library.start();
    await library.exit.serve(() => new Response('hello'));
  });
  afterEach(() => library.close());

  const fetched = async (): Promise<void> => {
    const url = `http://${library.exit.domain}/`;
    const answer = await fetch(url, { dispatcher: library.dispatcher });
    expect(await answer.text()).to.equal('hello');
  };

  it('tell of a stream on both sides: opened, and ended with its bytes', async () => {
    const heard: NwsEvents['stream'][0][] = [];
    library.exit.events.on('stream', (event) => heard.push(event));
    library.proxy.events.on('stream', (event) => heard.push(event));
    await fetched();
    await library.dispatcher.destroy();
    await until(() => heard.length === 4);
    const ended = heard.filter(({ state }) => state === 'ended');
    expect(ended).to.have.length(2);
    for (const event of ended) {
      expect(event).to.deep.include({ way: 'relay', code: undefined });
      expect(event.destination).to.match(new RegExp(`^${library.exit.domain}`));
      expect(event).to.have.property('bytesUp').that.is.greaterThan(50);
      expect(event).to.have.property('bytesDown').that.is.greaterThan(50);
    }
    const keys = heard.map(({ stream }) => stream);
    expect(new Set(keys).size).to.equal(1);
    expect(ended.map(({ peer }) => peer)).to.include(library.exit.pubkey);
  });

  it('tell why a stream was refused', async () => {
    const exit = await library.startExit({});
    const told = once(exit.events, 'stream');
    const answer = await fetch(`https://${exit.domain}/`, { dispatcher: library.dispatcher });
    expect(answer.status).to.equal(502);
    await answer.text();
    const [event] = await told;
    expect(event).to.include({ state: 'refused', code: 'destination_unavailable' });
    expect(event.message).to.match(/no service/);
  });

  it('tell of relays that go and come back', async () => {
    const down = once(library.exit.events, 'relay');
    await library.relay.close();
    expect((await down)[0]).to.deep.include({ state: 'down' });
  });

  it('tell of a pin when it is new, and not again', async () => {
    const pins: NwsEvents['pin'][0][] = [];
    library.proxy.events.on('pin', (event) => pins.push(event));
    const url = `https://${library.exit.domain}/`;
    for (let count = 0; count < 2; count += 1) {
      await (await fetch(url, { dispatcher: library.dispatcher })).text();
    }
    await until(() => pins.length > 0);
    expect(pins).to.have.length(1);
    expect(pins[0]).to.deep.include({ pubkey: library.exit.pubkey, formerly: undefined });
    expect(pins[0]!.fingerprints[0]).to.match(/^[0-9a-f]{64}$/);
  });

  it('leave streams alone when a listener throws', async () => {
    const thrown = new Error('of the listener');
    library.proxy.events.on('stream', () => {
      throw thrown;
    });
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const caught = once(process, 'uncaughtException');
    const going = fetched();
    expect((await caught)[0]).to.equal(thrown);
    process.on('uncaughtException', () => undefined);
    await going;
    library.proxy.events.removeAllListeners();
    process.removeAllListeners('uncaughtException');
    for (const listener of listeners) process.on('uncaughtException', listener);
  });
});
