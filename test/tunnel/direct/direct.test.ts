// Direct paths as both sides see them: streams in every way that they go and end, and what strangers may send.

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { expect } from 'chai';
import { NwsError } from '../../../src/errors.js';
import { StunServer } from '../../../src/relay/embedded/stun-server.js';
import { DirectSocket } from '../../../src/tunnel/direct/socket.js';
import type { IncomingStream } from '../../../src/tunnel/opening/incoming.js';
import { errorOf } from '../../support/expect-error.js';
import { readAll } from '../../support/read-all.js';
import { until } from '../../support/until.js';
import { EXIT, Pair, type PairOptions, skipWithoutUdx } from './pair.js';

const BYTES = 8_000_000;

describe('a direct path', function () {
  this.timeout(60_000);
  let pair: Pair;
  let incoming: IncomingStream[];
  let streams: Duplex[];

  before(async function () {
    await skipWithoutUdx(this);
  });
  beforeEach(() => {
    incoming = [];
    streams = [];
  });
  afterEach(async () => {
    for (const stream of streams) stream.destroy();
    await pair?.close();
  });

  async function stand(options: Partial<PairOptions> = {}): Promise<void> {
    pair = await Pair.start({ onIncoming: (request) => incoming.push(request), ...options });
    expect(await pair.arrange()).to.include({ state: 'standing' });
  }

  /** A stream, and the exit's end of it. */
  async function open(destination = 'any:80'): Promise<{ near: Duplex; far: Duplex }> {
    const opened = pair.entry.open(EXIT, { destination });
    const count = incoming.length;
    await until(() => incoming.length > count);
    const far = incoming.at(-1)!.accept();
    far.on('error', () => undefined);
    const near = (await opened)!.stream;
    near.on('error', () => undefined);
    streams.push(near, far);
    return { near, far };
  }

  const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

  it('carries bytes both ways at once, and either direction ends first', async () => {
    await stand();
    const { near, far } = await open();
    expect(incoming[0]).to.include({ destination: 'any:80', way: 'direct' });
    const [up, down] = [randomBytes(BYTES), randomBytes(BYTES)];
    near.end(up);
    far.write(down.subarray(0, 100));
    expect(hashOf(await readAll(far))).to.equal(hashOf(up));
    far.end(down.subarray(100));
    expect(hashOf(await readAll(near))).to.equal(hashOf(down));
    await Promise.all([near, far].map(closing));
    await until(() => pair.entry.streams === 0 && pair.exit.streams === 0);
  });

  it('carries many streams at once, each its own bytes', async () => {
    await stand();
    const ends: { near: Duplex; far: Duplex }[] = [];
    for (let index = 0; index < 20; index += 1) ends.push(await open(`${index}:1`));
    await Promise.all(
      ends.map(async ({ near, far }, index) => {
        far.end(Buffer.alloc(100_000, index));
        near.end();
        far.resume();
        expect((await readAll(near)).equals(Buffer.alloc(100_000, index))).to.equal(true);
      }),
    );
  });

  it('holds up a writer whose reader does not read', async () => {
    await stand();
    const { near, far } = await open();
    let written = 0;
    const more = (): void => {
      while (written < 64_000_000) {
        written += 65_536;
        if (!far.write(Buffer.alloc(65_536, 7))) return void far.once('drain', more);
      }
      far.end();
    };
    more();
    let before = -1;
    await until(async () => {
      const isStill = written === before;
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return isStill && written > 0;
    });
    expect(written).to.be.below(6_000_000);
    const bytes = await readAll(near);
    expect(bytes.length).to.equal(written);
  });

  it('hands on why the exit refuses, also to those who do not wait', async () => {
    await stand({
      onIncoming: (request) => request.refuse(new NwsError('destination_ip_prohibited', 'closed')),
    });
    const error = await errorOf(
      () => pair.entry.open(EXIT, { destination: '10.0.0.1:1' }) as Promise<unknown>,
    );
    expect(error).to.include({ code: 'destination_ip_prohibited', message: 'closed' });
    const early = await pair.entry.open(EXIT, { destination: '10.0.0.1:1', early: true });
    const [late] = await once(early!.stream, 'error');
    expect(late).to.include({ code: 'destination_ip_prohibited' });
  });

  it('shows an abort on one side as one on the other', async () => {
    await stand();
    for (const side of ['near', 'far'] as const) {
      const ends = await open();
      const other = side === 'near' ? ends.far : ends.near;
      ends[side].write('begun');
      const [first] = await once(other, 'data');
      expect(String(first)).to.equal('begun');
      ends[side].destroy(new Error('gone'));
      await closing(other);
      expect(other.readableEnded).to.equal(false);
      expect(other.errored).to.include({ code: 'connection_terminated' });
    }
  });

  it('tells the exit when a client leaves before it has an answer', async () => {
    await stand();
    const leaving = new AbortController();
    const opened = pair.entry.open(EXIT, { destination: 'slow:1', signal: leaving.signal });
    await until(() => incoming.length === 1);
    leaving.abort(new NwsError('connection_terminated', 'left'));
    await errorOf(() => opened as Promise<unknown>);
    await until(() => incoming[0]!.signal.aborted);
    await until(() => pair.exit.streams === 0);
  });

  it('cuts its streams when it ends, and relays are the way again', async () => {
    await stand();
    const { near } = await open();
    near.resume();
    const closed = closing(near);
    await pair.exit.close();
    await closed;
    expect(near.errored).to.include({ code: 'connection_terminated' });
    expect(await pair.entry.open(EXIT, { destination: 'any:80' })).to.equal(undefined);
  });

  it('is not asked for where the settings name other exits', async () => {
    pair = await Pair.start({ entry: { exits: new Set() }, onIncoming: () => undefined });
    expect(await pair.arrange()).to.include({ state: 'refused' });
    expect(pair.said).to.deep.equal([]);
  });

  it('is not looked for before the exit has said that it takes part', async () => {
    pair = await Pair.start({ onIncoming: () => undefined });
    expect(await pair.entry.open(EXIT, { destination: 'any:80' })).to.equal(undefined);
    expect(pair.entry.reportOf(EXIT).reason).to.match(/does not take part/);
    expect(pair.said).to.deep.equal([]);
  });

  it('is found by what a STUN server of the exit sees of the entry', async () => {
    const stun = await StunServer.start({ host: '127.0.0.1', port: 0 });
    try {
      const servers = [{ host: '127.0.0.1', port: stun.port }];
      await stand({ exit: { stun: servers } });
      expect(pair.said.filter(({ from }) => from === 'exit')[0]!.message.stun).to.deep.equal([
        `127.0.0.1:${stun.port}`,
      ]);
    } finally {
      await stun.close();
    }
  });

  it('asks nobody where the exit names addresses of elsewhere, and says why there is none', async () => {
    pair = await Pair.start({ onIncoming: () => undefined });
    const { message } = await new Promise<(typeof pair.said)[number]>((resolve) => {
      pair.entry.attach(
        (_peer, said) => resolve({ from: 'entry', message: said }),
        () => undefined,
      );
      void pair.arrange();
    });
    const victims = Array.from({ length: 1_000 }, (_, index) => `192.0.2.${index % 250}:9`);
    const report = pair.arrange();
    pair.entry.take(EXIT, { type: 'PATH', key: message.key, candidates: victims });
    expect(await report).to.include({ state: 'resting' });
  });
});

/** Resolves when the stream is closed, also with an error. */
function closing(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed) resolve();
    else stream.once('close', resolve);
  });
}

describe('the UDP socket of direct paths', () => {
  it('gives each stream an id whose last bits no other one has', async function () {
    await skipWithoutUdx(this);
    const { pino } = await import('pino');
    const socket = await DirectSocket.open(
      { host: '127.0.0.1', port: 0 },
      pino({ level: 'silent' }),
    );
    const ids = Array.from({ length: 16_384 }, () => socket.newId());
    expect(new Set(ids.map((id) => id % 65_536)).size).to.equal(ids.length);
    expect(() => socket.newId()).to.throw(/too many streams/);
    socket.release(ids[7]!);
    expect(socket.newId()).to.be.within(1, 0xffff_ffff);
    await socket.close();
  });

  it('says which port is taken', async function () {
    await skipWithoutUdx(this);
    const { pino } = await import('pino');
    const log = pino({ level: 'silent' });
    const socket = await DirectSocket.open({ host: '127.0.0.1', port: 0 }, log);
    const error = await errorOf(() =>
      DirectSocket.open({ host: '127.0.0.1', port: socket.port }, log),
    );
    expect(error).to.include({ code: 'address_in_use' });
    expect(error.message).to.include(String(socket.port));
    await socket.close();
  });
});
