// When an entry asks an exit to connect to it, what it makes of the answers, and when it does without.

import type { Duplex } from 'node:stream';
import { expect } from 'chai';
import { pino } from 'pino';
import { NwsError } from '../../../src/errors.js';
import { RelayPool } from '../../../src/relay/pool.js';
import type { ExpectOptions } from '../../../src/tunnel/reverse/expected.js';
import {
  type IncomingStream,
  type Opened,
  type OpenOptions,
  Session,
} from '../../../src/tunnel/session.js';
import { duplexPair } from '../../support/duplex-pair.js';
import { errorOf } from '../../support/expect-error.js';
import { until } from '../../support/until.js';
import { Tunnel } from '../tunnel.js';

const log = pino({ level: 'silent' });
const PUBLIC_ADDRESS = 'entry.example:8883';

/** A key that the entry waits for. */
interface Expected extends ExpectOptions {
  readonly key: string;
  /** Somebody presents it, or nobody does. */
  readonly settle: (result: Duplex | NwsError) => void;
}

describe('opening streams over connections of the exit', () => {
  let tunnel: Tunnel;
  let entry: { session: Session; pool: RelayPool };
  /** What the entry waits for, and what the exit was asked for, so far. */
  let expected: Expected[];
  let asked: IncomingStream[];

  const listener = {
    expect: (key: string, options: ExpectOptions = {}): Promise<Duplex> =>
      new Promise((resolve, reject) => {
        const settle = (result: Duplex | NwsError): void =>
          result instanceof NwsError ? reject(result) : resolve(result);
        options.signal?.addEventListener('abort', () =>
          settle(new NwsError('connection_terminated', 'given up')),
        );
        expected.push({ key, ...options, settle });
      }),
  };

  beforeEach(async () => {
    [expected, asked] = [[], []];
    tunnel = await Tunnel.start();
    tunnel.onIncoming = (incoming) => void asked.push(incoming);
    const pool: RelayPool = new RelayPool({ log, authSigners: (url) => session.relaySigners(url) });
    const reverse = { listener, publicAddress: PUBLIC_ADDRESS, tls: 'required' } as const;
    const session: Session = new Session({ pool, log, reverse });
    entry = { session, pool };
  });
  afterEach(async () => {
    await entry.session.close(0);
    await entry.pool.close();
    await tunnel.close();
  });

  function open(options: Partial<OpenOptions> = { reliable: true }): Promise<Opened> {
    const { signer, url } = tunnel;
    const to = { peer: signer.pubkey, relays: [url], destination: 'x.nostr:443' };
    const opened = entry.session.open({ ...to, ...options });
    opened.then(
      ({ stream }) => stream.on('error', () => undefined),
      () => undefined,
    );
    return opened;
  }

  /** The next question that reaches the exit. */
  async function question(): Promise<IncomingStream> {
    await until(() => asked.length > 0);
    return asked.shift()!;
  }

  const unreachable = (): NwsError => new NwsError('reverse_unreachable', 'can not connect');

  it('names the address, and a key and a secret of their own for each', async () => {
    for (let round = 0; round < 2; round += 1) void open();
    const questions = [await question(), await question()];
    expect(expected).to.have.length(2);
    for (const { key, reverse } of questions) {
      const waiting = expected.find((each) => each.key === key);
      expect(reverse).to.deep.equal({ address: PUBLIC_ADDRESS, secret: waiting?.secret });
      expect(waiting?.secret).to.have.length(32);
    }
    const [one, other] = expected.map(({ secret }) => secret!.toString('hex'));
    expect(one).to.not.equal(other);
  });

  for (const first of ['connection', 'answer']) {
    it(`is done when there is both, the ${first} first`, async () => {
      const opened = open();
      let isOpen = false;
      void opened.then(() => (isOpen = true));
      const incoming = await question();
      const [near, far] = connection();
      const steps = [() => expected[0]!.settle(near), () => void incoming.accept(far)];
      if (first === 'answer') steps.reverse();
      steps[0]!();
      // By the time that another question has come, an answer would have been there.
      void open();
      await question();
      expect(isOpen).to.equal(false);
      steps[1]!();
      const { stream, way } = await opened;
      expect(way).to.equal('reverse');
      stream.write('through');
      expect(String((await readable(far)).read())).to.equal('through');
      stream.destroy();
    });
  }

  it('counts as a stream until it is closed, and ends with the session', async () => {
    const opened = open();
    (await question()).accept(connection()[0]);
    expected[0]!.settle(connection()[0]);
    const { stream } = await opened;
    await until(() => entry.session.streams === 1);
    await until(() => tunnel.exit.session.streams === 0);
    await entry.session.close(0);
    expect(stream.destroyed).to.equal(true);
    await until(() => entry.session.streams === 0);
  });

  it('hands on why the exit refuses the destination, and asks it the next time as well', async () => {
    for (let round = 0; round < 2; round += 1) {
      const opened = open();
      const incoming = await question();
      const [near] = connection();
      expected.at(-1)!.settle(near);
      incoming.refuse(new NwsError('connection_refused', 'nothing listens there'));
      expect((await errorOf(() => opened)).code).to.equal('connection_refused');
      expect(near.destroyed).to.equal(true);
      expect(incoming.reverse).to.not.equal(undefined);
    }
  });

  const failures: Readonly<Record<string, (incoming: IncomingStream) => void>> = {
    'the exit says that it can not connect': (incoming) => incoming.refuse(unreachable()),
    'nobody connects in time': () => expected[0]!.settle(unreachable()),
  };
  for (const [what, fail] of Object.entries(failures)) {
    it(`goes on over relays where ${what}, and then asks for nothing else`, async () => {
      const opened = open();
      const first = await question();
      fail(first);
      const second = await question();
      expect(second.reverse).to.equal(undefined);
      expect(second.key).to.not.equal(first.key);
      // The exit need not go on trying.
      await until(() => first.signal.aborted || what.startsWith('the exit'));
      expect(expected[0]!.signal?.aborted).to.equal(true);
      second.accept();
      expect((await opened).way).to.equal('relay');

      const next = open();
      const third = await question();
      expect(third.reverse).to.equal(undefined);
      third.accept();
      expect((await next).way).to.equal('relay');
      expect(expected).to.have.length(1);
    });
  }

  it('is given up with the client, which says nothing about the exit', async () => {
    const leaving = new AbortController();
    const opened = open({ reliable: true, signal: leaving.signal });
    const incoming = await question();
    const reason = new NwsError('connection_terminated', 'the client has gone');
    leaving.abort(reason);
    expect(await errorOf(() => opened)).to.equal(reason);
    expect(expected[0]!.signal?.aborted).to.equal(true);
    await until(() => incoming.signal.aborted);
    expect(entry.session.streams).to.equal(0);
    void open();
    expect((await question()).reverse).to.not.equal(undefined);
  });

  const strangers = { 'of which nothing is known': undefined, 'that knows no TLS here': false };
  for (const [which, reliable] of Object.entries(strangers)) {
    it(`is not for an exit ${which}`, async () => {
      const opened = open({ reliable });
      const incoming = await question();
      expect(incoming.reverse).to.equal(undefined);
      incoming.accept();
      expect((await opened).way).to.equal('relay');
      expect(expected).to.deep.equal([]);
    });
  }
});

function connection(): [Duplex, Duplex] {
  const ends = duplexPair();
  for (const end of ends) end.on('error', () => undefined);
  return ends;
}

async function readable(stream: Duplex): Promise<Duplex> {
  await until(() => stream.readableLength > 0);
  return stream;
}
