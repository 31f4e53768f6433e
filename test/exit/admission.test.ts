// What becomes of a stream that is asked for: each way in which it can go on or end gives back what it took of its
// client's bounds, is counted once, and leaves no connection.

import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { expect } from 'chai';
import { pino } from 'pino';
import { NwsError } from '../../src/errors.js';
import { Admission } from '../../src/exit/admission.js';
import { type ClientLimits, DEFAULT_CLIENT_LIMITS } from '../../src/exit/clients/clients.js';
import { PacedStream } from '../../src/exit/clients/paced-stream.js';
import { Policy } from '../../src/exit/policy/policy.js';
import { parseRule } from '../../src/exit/policy/rules.js';
import type { TargetServer } from '../../src/exit/targets/target.js';
import type { IncomingStream } from '../../src/tunnel/session.js';
import { type FakeIncoming, fakeIncoming } from '../support/incoming.js';
import { readAll } from '../support/read-all.js';
import { deadPort, listenTcp, type Running } from '../support/servers.js';
import { until } from '../support/until.js';

const OTHER = 'f'.repeat(64);

describe('exit/admission', () => {
  let echo: Running<Server>;
  /** Where a client waits for connections, and its end of the latest one. */
  let entry: Running<Server>;
  let carrier: Socket | undefined;
  let dead: number;
  let lines: Record<string, unknown>[];
  let admission: Admission;
  /** What the own target was given. */
  let served: IncomingStream[];

  before(async () => {
    echo = await listenTcp((socket) => socket.pipe(socket));
    entry = await listenTcp((socket) => {
      carrier = socket;
      // The answer to its key.
      socket.once('data', () => socket.write(Buffer.of(1)));
    });
    dead = await deadPort();
  });
  after(async () => {
    await echo.close();
    await entry.close();
  });

  interface Options extends Partial<ClientLimits> {
    readonly hasTarget?: boolean;
  }

  function start({ hasTarget = true, ...limits }: Options = {}): void {
    [lines, served, carrier] = [[], [], undefined];
    const log = pino({ base: null }, { write: (line: string) => lines.push(JSON.parse(line)) });
    const allow = [echo.port, entry.port, dead].map((port) => parseRule(`127.0.0.1:${port}`));
    const none = { isPublic: false, deny: [], ownAddresses: () => [] };
    const own: TargetServer = {
      serve: (incoming) => void served.push(incoming),
      close: async () => undefined,
    };
    admission = new Admission({
      policy: new Policy({ ownPubkey: '0'.repeat(64), allow, ...none }),
      clientLimits: { ...DEFAULT_CLIENT_LIMITS, ...limits },
      own: hasTarget ? own : undefined,
      log,
    });
  }
  afterEach(() => admission.close(0));

  interface Asked extends FakeIncoming {
    /** Why it was refused, once it was. */
    readonly refusal: () => string | undefined;
  }

  function ask(destination = '', over: Partial<IncomingStream> = {}): Asked {
    const fake = fakeIncoming(destination);
    let code: string | undefined;
    void fake.refused.then((error) => (code = error.code));
    fake.client.on('error', () => undefined);
    admission.take({ ...fake.incoming, ...over });
    return { ...fake, refusal: () => code };
  }

  async function refusalOf(asked: Asked): Promise<string> {
    return (await asked.refused).code;
  }

  /** Accepts the latest stream of the own target, as that would. */
  async function accepted(): Promise<Duplex> {
    await until(() => served.length > 0);
    return served
      .pop()!
      .accept()
      .on('error', () => undefined);
  }

  const atEcho = (): string => `127.0.0.1:${echo.port}`;

  describe('hands on', () => {
    it('to the own target what is for it, and writes one line when it has ended', async () => {
      start();
      const { client, incoming } = ask('');
      const stream = await accepted();
      expect(admission.accounts.sums).to.include({ opened: 1, open: 1 });
      client.end('hello');
      expect(String(await readAll(stream))).to.equal('hello');
      stream.end('good evening');
      await readAll(client);
      if (!stream.closed) await once(stream, 'close');
      expect(lines).to.have.length(1);
      expect(lines[0]).to.include({ msg: 'stream ended', peer: incoming.peer, destination: '' });
      expect(lines[0]).to.not.have.property('code');
      expect(admission.accounts.sums).to.include({ opened: 1, open: 0 });
    });

    it('elsewhere what the rules open, with all bytes, and counts them', async () => {
      start({ bytesPerSecond: 1e9 });
      const { client } = ask(atEcho());
      client.end(Buffer.alloc(300_000, 'x'));
      expect(await readAll(client)).to.have.length(300_000);
      await until(() => admission.accounts.sums.open === 0 && lines.length > 0);
      const { durationMs, level, time, ...line } = lines[0]!;
      expect([typeof durationMs, typeof level, typeof time]).to.deep.equal(Array(3).fill('number'));
      const { key: stream, peer } = fakeIncoming().incoming;
      const facts = { stream, peer, destination: atEcho(), way: 'relay' };
      const bytes = { bytesUp: 300_000, bytesDown: 300_000 };
      expect(line).to.deep.equal({ ...facts, ...bytes, msg: 'stream ended' });
      expect(admission.accounts.sums).to.deep.include({ ...bytes, refused: {}, failed: {} });
    });

    it('the stream itself where its client has no rate, and a paced one where it has', async () => {
      for (const bytesPerSecond of [Number.POSITIVE_INFINITY, 1_000]) {
        start({ bytesPerSecond });
        ask();
        const stream = await accepted();
        expect(stream instanceof PacedStream).to.equal(Number.isFinite(bytesPerSecond));
        stream.destroy();
      }
    });
  });

  describe('refuses', () => {
    it('a client that has too many streams, and no other client', async () => {
      start({ streams: 1 });
      ask();
      const first = await accepted();
      expect(await refusalOf(ask())).to.equal('connection_limit_reached');
      const other = ask('', { peer: OTHER });
      const second = await accepted();
      first.destroy();
      await once(first, 'close');
      const again = ask();
      (await accepted()).destroy();
      second.destroy();
      expect([other.refusal(), again.refusal()]).to.deep.equal([undefined, undefined]);
      expect(admission.accounts.sums.refused).to.deep.equal({ connection_limit_reached: 1 });
    });

    it('a client that opens too often, served or refused before, and no other client', async () => {
      start({ opensPerMinute: 2 });
      expect(await refusalOf(ask('192.0.2.1:443'))).to.equal('destination_ip_prohibited');
      expect(await refusalOf(ask(`127.0.0.1:${dead}`))).to.equal('connection_refused');
      expect(await refusalOf(ask())).to.equal('connection_limit_reached');
      const other = ask('', { peer: OTHER });
      (await accepted()).destroy();
      expect(other.refusal()).to.equal(undefined);
    });

    it('what the policy closes, with a line that says why to the operator alone', async () => {
      start();
      const error = await ask('10.0.0.1:80').refused;
      expect(error.code).to.equal('destination_ip_prohibited');
      expect(error.message).to.not.include('10.0.0.1');
      expect(lines[0]).to.include({ code: error.code, destination: '10.0.0.1:80', way: 'relay' });
      expect(lines[0]!.reason).to.include('10.0.0.1');
    });

    it('its own name where there is no target', async () => {
      start({ hasTarget: false });
      expect(await refusalOf(ask(''))).to.equal('destination_unavailable');
    });

    it('what a target can not take, once', async () => {
      start();
      const asked = ask();
      await until(() => served.length > 0);
      served[0]!.refuse(new NwsError('tls_certificate_error', 'no'));
      expect(await refusalOf(asked)).to.equal('tls_certificate_error');
      expect(admission.accounts.sums.refused).to.deep.equal({ tls_certificate_error: 1 });
      expect(lines).to.have.length(1);
    });
  });

  it('gives back the place of every stream that did not come about', async () => {
    start({ streams: 1 });
    for (let round = 0; round < 3; round += 1) {
      expect(await refusalOf(ask('192.0.2.1:443'))).to.equal('destination_ip_prohibited');
      expect(await refusalOf(ask(`127.0.0.1:${dead}`))).to.equal('connection_refused');
      const left = ask(atEcho());
      left.giveUp();
      expect(await refusalOf(left)).to.equal('connection_terminated');
    }
    await until(() => echo.sockets.size === 0);
    expect(admission.accounts.sums).to.deep.include({ opened: 0, open: 0 });
  });

  it('gives back the place of a stream that has died when it is accepted', async () => {
    for (const bytesPerSecond of [Number.POSITIVE_INFINITY, 1_000]) {
      start({ streams: 1, bytesPerSecond });
      const { stream } = ask();
      stream.on('error', () => undefined).destroy(new Error('gone'));
      await new Promise((resolve) => stream.once('close', resolve));
      const shown = await accepted();
      await until(() => shown.closed && admission.accounts.sums.open === 0);
      ask();
      (await accepted()).destroy();
      expect(admission.accounts.sums.refused).to.deep.equal({});
    }
  });

  describe('with a connection back to the client', () => {
    const accept = (over?: Duplex): Duplex => over!;
    const askBack = (destination = '', port = entry.port): Asked =>
      ask(destination, { accept, reverse: { address: `127.0.0.1:${port}`, secret: undefined } });

    it('carries its bytes there, and says so', async () => {
      start();
      askBack(atEcho());
      await until(() => admission.direct === 1);
      carrier!.end('there and back');
      expect(String(await readAll(carrier!))).to.equal('there and back');
      await until(() => admission.direct === 0 && lines.length === 1);
      expect(lines[0]).to.include({ way: 'reverse', bytesUp: 14, bytesDown: 14 });
    });

    it('gives back the place when that can not be made', async () => {
      start({ streams: 1 });
      expect(await refusalOf(askBack('', dead))).to.equal('reverse_unreachable');
      expect(await refusalOf(askBack('', dead))).to.equal('reverse_unreachable');
    });

    it('gives back the place when that dies before the destination is there', async () => {
      start({ streams: 1 });
      for (let round = 0; round < 2; round += 1) {
        askBack();
        await until(() => served.length > 0);
        carrier!.resetAndDestroy();
        await until(() => admission.direct === 0);
        const shown = await accepted();
        await until(() => shown.closed);
      }
      expect(admission.accounts.sums).to.deep.include({ opened: 2, open: 0, refused: {} });
    });

    it('closes that when the destination is refused', async () => {
      start();
      const asked = askBack(`127.0.0.1:${dead}`);
      expect(await refusalOf(asked)).to.equal('connection_refused');
      await until(() => carrier?.readableEnded === true && admission.direct === 0);
    });
  });
});
