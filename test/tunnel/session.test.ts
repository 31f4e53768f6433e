// Streams between two sessions over a relay: bytes, ends, refusals, and that nothing stays behind.

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { expect } from 'chai';
import { NwsError } from '../../src/errors.js';
import { STREAM_WINDOW_BYTES } from '../../src/limits.js';
import { strfryBehaviour } from '../../src/relay/embedded/presets.js';
import { errorOf } from '../support/expect-error.js';
import { readAll } from '../support/read-all.js';
import { onEmbeddedRelay } from '../support/test-relay.js';
import { until } from '../support/until.js';
import { closed, Tunnel } from './tunnel.js';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('session', () => {
  let tunnel: Tunnel;

  beforeEach(async () => {
    tunnel = await Tunnel.start();
  });

  afterEach(async () => {
    await tunnel.close();
  });

  async function echo(bytes: Buffer): Promise<void> {
    const stream = await tunnel.open();
    const received = readAll(stream);
    stream.end(bytes);
    expect(sha256(await received)).to.equal(sha256(bytes));
    await closed(stream);
  }

  it('carries bytes both ways and leaves nothing behind', async () => {
    await echo(randomBytes(3_000_000));
    await until(() => tunnel.streams === 0);
  });

  it('carries an empty stream', () => echo(Buffer.alloc(0)));

  it('carries twenty streams at once, each its own bytes', async () => {
    await Promise.all(Array.from({ length: 20 }, () => echo(randomBytes(200_000))));
    await until(() => tunnel.streams === 0);
  });

  onEmbeddedRelay(() => {
    it('authenticates to a relay that demands it', async () => {
      await tunnel.close();
      tunnel = await Tunnel.start({ behaviour: { authRequired: true } });
      await echo(randomBytes(100_000));
    });

    it('carries bytes over a relay that reorders, delays, replays, loses and repeats', async function () {
      this.timeout(60_000);
      Object.assign(tunnel.relay.behaviour, strfryBehaviour, { loss: 0.05, duplicate: 0.05 });
      await Promise.all([echo(randomBytes(2_000_000)), echo(randomBytes(1_000_000))]);
      await until(() => tunnel.streams === 0);
    });

    it('carries bytes over a relay that drops every connection now and then', async function () {
      this.timeout(60_000);
      await echo(Buffer.from('the links are up'));
      // From now on, and not first at the next word: until both are back, the relay says that nobody listens.
      tunnel.relay.disconnectAll();
      Object.assign(tunnel.relay.behaviour, { disconnectEveryMs: 1_200, deliveryDelayMs: 100 });
      await until(() =>
        [...tunnel.entry.pool.links(), ...tunnel.exit.pool.links()].every(({ isUp }) => isUp),
      );
      let downs = 0;
      for (const link of tunnel.entry.pool.links()) link.on('down', () => (downs += 1));
      await Promise.all([echo(randomBytes(8_000_000)), echo(randomBytes(100))]);
      expect(downs).to.be.above(0);
      await until(() => tunnel.streams === 0);
    });

    it('sends again what a relay refused', async () => {
      let count = 0;
      tunnel.relay.behaviour.refuse = () =>
        ++count % 7 === 0 ? 'rate-limited: slow down' : undefined;
      await echo(randomBytes(1_000_000));
      expect(count).to.be.above(20);
    });

    it('carries bytes over a relay that takes small events only, and finds that out by itself', async () => {
      tunnel.relay.behaviour.maxEventBytes = 8_192;
      await echo(randomBytes(100_000));
    });
  });

  it('lets the server speak first', async () => {
    tunnel.serve = (stream) => stream.write('SSH-2.0-test\r\n');
    const stream = await tunnel.open();
    const [banner] = (await once(stream, 'data')) as [Buffer];
    expect(banner.toString()).to.equal('SSH-2.0-test\r\n');
    stream.destroy();
  });

  it('keeps one direction open after the other has ended, in both orders', async () => {
    for (const first of ['entry', 'exit'] as const) {
      const served = new Promise<Duplex>((resolve) => {
        tunnel.serve = resolve;
      });
      const ours = await tunnel.open();
      const theirs = await served;
      const [early, late] = first === 'entry' ? [ours, theirs] : [theirs, ours];
      const atLate = readAll(late);
      early.end('done');
      expect((await atLate).toString()).to.equal('done');
      const atEarly = readAll(early);
      late.write('still ');
      late.end('here');
      expect((await atEarly).toString()).to.equal('still here');
      await Promise.all([closed(ours), closed(theirs)]);
    }
    await until(() => tunnel.streams === 0);
  });

  it('resets the other side when one side is destroyed', async () => {
    for (const who of ['entry', 'exit'] as const) {
      const served = new Promise<Duplex>((resolve) => {
        tunnel.serve = resolve;
      });
      const ours = await tunnel.open();
      const theirs = await served;
      const [leaving, staying] = who === 'entry' ? [ours, theirs] : [theirs, ours];
      const failure = once(staying, 'error') as Promise<[NwsError]>;
      leaving.destroy();
      expect((await failure)[0].code).to.equal('connection_terminated');
    }
    await until(() => tunnel.streams === 0);
  });

  it('delivers what was written before an orderly destroy', async () => {
    const served = new Promise<Duplex>((resolve) => {
      tunnel.serve = resolve;
    });
    const ours = await tunnel.open();
    const received = readAll(await served);
    const bytes = randomBytes(500_000);
    ours.end(bytes);
    await once(ours, 'prefinish');
    ours.destroy();
    expect(sha256(await received)).to.equal(sha256(bytes));
    (await served).end();
    await until(() => tunnel.streams === 0);
  });

  it('hands a refusal with its reason to whoever opens', async () => {
    tunnel.onIncoming = (incoming) => {
      incoming.refuse(new NwsError('connection_refused', 'nothing listens at the target'));
    };
    const error = await errorOf(() => tunnel.open());
    expect([error.code, error.message]).to.deep.equal([
      'connection_refused',
      'nothing listens at the target',
    ]);
    await until(() => tunnel.streams === 0);
  });

  onEmbeddedRelay(() => {
    it('fails at once where the relay says that nobody listens', async () => {
      await tunnel.exit.close();
      const startedAt = performance.now();
      const error = await errorOf(() => tunnel.open());
      expect(error.code).to.equal('exit_unreachable');
      expect(error.hint).to.contain(tunnel.relay.url);
      expect(performance.now() - startedAt).to.be.below(5_000);
      await until(() => tunnel.entry.session.streams === 0);
    });

    it('fails within seconds where a relay takes everything and nobody answers', async function () {
      this.timeout(20_000);
      tunnel.relay.behaviour.muteUnheard = false;
      await tunnel.exit.close();
      // An exit that knows NIP-443 alone would say nothing either, before it is spoken to.
      const stream = await tunnel.open();
      stream.write('hello?');
      const [error] = await once(stream, 'error');
      expect(error.code).to.equal('exit_unreachable');
      await until(() => tunnel.entry.session.streams === 0);
    });

    it('names the relay that can not be reached', async function () {
      this.timeout(20_000);
      await tunnel.relay.close();
      const error = await errorOf(() => tunnel.open());
      expect(error.code).to.equal('relay_unreachable');
      expect(error.message).to.contain(tunnel.url);
    });
  });

  it('tells the exit when the client leaves before there is an answer', async () => {
    const asked = new Promise<AbortSignal>((resolve) => {
      tunnel.onIncoming = (incoming) => resolve(incoming.signal);
    });
    const client = new AbortController();
    const opening = errorOf(() => tunnel.open({ signal: client.signal }));
    const signal = await asked;
    client.abort(new NwsError('connection_terminated', 'the client left'));
    await opening;
    if (!signal.aborted) await once(signal, 'abort');
    await until(() => tunnel.streams === 0);
  });

  it('writes along with the CONNECT where the exit is known, and hands on a refusal', async () => {
    const stream = await tunnel.open({ reliable: true, early: true });
    const received = readAll(stream);
    stream.end('early');
    expect((await received).toString()).to.equal('early');
    tunnel.onIncoming = (incoming) => incoming.refuse(new NwsError('dns_error', 'no such host'));
    const refused = await tunnel.open({ reliable: true, early: true });
    const [error] = (await once(refused, 'error')) as [NwsError];
    expect(error.code).to.equal('dns_error');
  });

  onEmbeddedRelay(() => {
    it('holds a sender to the window of a reader that reads nothing', async () => {
      let written = 0;
      tunnel.serve = (stream) => {
        const chunk = Buffer.alloc(64 * 1024);
        const more = (): void => {
          while (!stream.destroyed && written < 64 * 1024 * 1024) {
            written += chunk.length;
            if (!stream.write(chunk)) return;
          }
        };
        stream.on('drain', more);
        more();
      };
      const stream = await tunnel.open();
      await until(() => written > STREAM_WINDOW_BYTES);
      const before = tunnel.relay.stats.events;
      // Long enough for many more, were it not for the window: a probe or two is all that comes.
      await until(() => tunnel.relay.stats.events > before || written > 2 * STREAM_WINDOW_BYTES);
      expect(written).to.be.below(STREAM_WINDOW_BYTES + 2 * 1024 * 1024);
      stream.destroy();
      await until(() => tunnel.streams === 0);
    });
  });

  it('ends the streams of an exit that was killed as soon as it is back', async () => {
    const stream = await tunnel.open();
    stream.write('hello');
    await once(stream, 'data');
    const failure = once(stream, 'error') as Promise<[NwsError]>;
    // Without a word: its relay connections go, and with them every RESET.
    await tunnel.exit.pool.close();
    await tunnel.exit.session.close(0);
    await tunnel.startExit();
    stream.write('are you there?');
    expect((await failure)[0].code).to.equal('connection_terminated');
    await until(() => tunnel.streams === 0);
  });

  it('resets what is open when it closes, and takes nothing new', async () => {
    const stream = await tunnel.open();
    const failure = once(stream, 'error') as Promise<[NwsError]>;
    await tunnel.exit.session.close(0);
    expect((await failure)[0].code).to.be.oneOf(['shutting_down', 'connection_terminated']);
  });
});
