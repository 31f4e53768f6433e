// Which exit a host of the clear web goes through, with exits and a clock of the test's own.

import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { type ErrorCode, NwsError } from '../../../src/errors.js';
import { ExitChooser, type ExitChooserOptions } from '../../../src/proxy/clearnet/exits.js';
import type { WebExit } from '../../../src/proxy/clearnet/known-exits.js';
import { errorOf } from '../../support/expect-error.js';
import { until } from '../../support/until.js';
import { silent } from '../fixture.js';

const MINUTE_MS = 60_000;
const RELAY = 'ws://relay.example';

const exit = (pubkey: string, reliable?: boolean): WebExit => ({
  pubkey,
  relays: [RELAY],
  reliable,
});

describe('proxy/exits', () => {
  let now: number;
  let announced: readonly WebExit[];
  let searches: number;
  /** How each exit fails; those that aren't here work. */
  let failing: Map<string, ErrorCode>;
  /** `exit destination` of every attempt. */
  let attempts: string[];
  let chooser: ExitChooser;
  const client = new AbortController();

  function choose(options: Partial<ExitChooserOptions> = {}): void {
    const discover = async (): Promise<readonly WebExit[]> => {
      searches += 1;
      return announced;
    };
    const openVia: ExitChooserOptions['openVia'] = async ({ pubkey }, destination) => {
      attempts.push(`${pubkey} ${destination}`);
      const code = failing.get(pubkey);
      if (code !== undefined) throw new NwsError(code, `${pubkey} says ${code}`);
      return new PassThrough();
    };
    chooser = new ExitChooser({
      ...{ exits: [], relays: [], discover, openVia, log: silent, now: () => now },
      ...{ random: () => 0, ...options },
    });
  }

  beforeEach(() => {
    now = 1_000_000;
    announced = ['A', 'B', 'C', 'D'].map((name) => exit(name, true));
    searches = 0;
    failing = new Map();
    attempts = [];
    choose();
  });

  const open = (host: string, port = 443) => chooser.open({ host, port }, client.signal);
  /** Opens, and gives the exit that did it. */
  async function exitFor(host: string): Promise<string | undefined> {
    await open(host);
    return attempts.at(-1)?.split(' ')[0];
  }
  const failureOf = (host: string): Promise<NwsError> => errorOf(() => open(host));

  it('hands names on as they were typed, and brackets IPv6', async () => {
    await open('Example.COM.');
    await open('2001:db8::1', 80);
    expect(attempts).to.deep.equal(['A Example.COM.:443', 'A [2001:db8::1]:80']);
  });

  it('keeps the exit of a host, in any spelling and on any port, and spreads hosts', async () => {
    let random = 0;
    choose({ random: () => random });
    expect(await exitFor('one.example')).to.equal('A');
    random = 0.99;
    expect(await exitFor('two.example')).to.equal('D');
    await open('ONE.example.', 80);
    expect(await exitFor('one.example')).to.equal('A');
    // For half an hour after the last use, also once it no longer announces itself.
    announced = [exit('E')];
    for (let times = 0; times < 3; times += 1) {
      now += 29 * MINUTE_MS;
      expect(await exitFor('one.example')).to.equal('A');
    }
    now += 31 * MINUTE_MS;
    expect(await exitFor('one.example')).to.equal('E');
  });

  it('gives connections that a host gets at once the same exit', async () => {
    let random = 0;
    choose({ random: () => (random += 0.3) % 1 });
    failing.set('B', 'exit_unreachable');
    await Promise.all(Array.from({ length: 6 }, () => open('example.com')));
    const used = attempts.map((attempt) => attempt[0]).filter((name) => name !== 'B');
    expect(used).to.have.length(6);
    expect(new Set(used)).to.have.property('size', 1);
  });

  it('forgets the host unused for longest, of more than four thousand', async () => {
    let random = 0.99;
    choose({ random: () => random });
    await open('first.example');
    random = 0;
    for (let host = 0; host < 4_096; host += 1) await open(`${host}.example`);
    expect(await exitFor('first.example')).to.equal('A');
  });

  it('prefers the exits that the user chose in their order, and looks for no others', async () => {
    choose({ exits: [exit('X'), { pubkey: 'Y', relays: [] }], relays: [RELAY], random: () => 0.9 });
    expect(await exitFor('one.example')).to.equal('X');
    failing.set('X', 'relay_unreachable');
    expect(await exitFor('two.example')).to.equal('Y');
    expect(searches).to.equal(0);
  });

  for (const code of ['exit_unreachable', 'relay_refused', 'connection_terminated'] as const) {
    it(`lets an exit rest that fails with ${code}, longer each time`, async () => {
      failing.set('A', code);
      expect(await exitFor('example.com')).to.equal('B');
      expect(attempts).to.have.length(2);
      await open('two.example');
      expect(attempts).to.have.length(3);
      now += 10_001;
      await open('three.example');
      expect(attempts.slice(3)).to.deep.equal(['A three.example:443', 'B three.example:443']);
      now += 19_000;
      expect(await exitFor('four.example')).to.equal('B');
      now += 1_001;
      failing.clear();
      expect(await exitFor('five.example')).to.equal('A');
    });
  }

  it('stays with the exit that took over', async () => {
    failing.set('A', 'exit_unreachable');
    await open('example.com');
    failing.clear();
    now += MINUTE_MS;
    expect(await exitFor('example.com')).to.equal('B');
  });

  it('tries an exit that rests where there is no other', async () => {
    choose({ exits: [exit('X')] });
    failing.set('X', 'exit_unreachable');
    expect(await failureOf('example.com')).to.include({ code: 'exit_unreachable' });
    failing.clear();
    expect(await exitFor('example.com')).to.equal('X');
  });

  it('looks for others when all that it knows have failed', async () => {
    announced = [exit('A'), exit('B')];
    await open('one.example');
    announced = [exit('E')];
    failing.set('A', 'exit_unreachable').set('B', 'exit_unreachable');
    now += 5_000;
    expect(await exitFor('two.example')).to.equal('E');
    expect(attempts.slice(1)).to.deep.equal(
      ['A', 'B', 'E'].map((name) => `${name} two.example:443`),
    );
  });

  it('tries three exits, and then says why', async () => {
    for (const name of 'ABCD') failing.set(name, 'exit_unreachable');
    const error = await failureOf('example.com');
    expect(error).to.include({ code: 'exit_unreachable', message: 'C says exit_unreachable' });
    expect(attempts).to.have.length(3);
  });

  for (const code of ['connection_refused', 'dns_error', 'tls_protocol_error'] as const) {
    it(`takes ${code} for what it is, and asks nobody else`, async () => {
      failing.set('A', code);
      expect(await failureOf('example.com')).to.include({ code });
      expect(attempts).to.have.length(1);
      failing.clear();
      expect(await exitFor('example.com')).to.equal('A');
    });
  }

  for (const code of ['destination_ip_prohibited', 'connection_timeout'] as const) {
    it(`asks one more exit where the first says ${code}, and lets neither rest`, async () => {
      failing.set('A', code).set('B', code).set('C', code);
      const error = await failureOf('example.com');
      expect(error).to.include({ code, message: `A says ${code}` });
      expect(attempts).to.have.length(2);
      expect((await failureOf('two.example')).message).to.equal(`A says ${code}`);
      failing.delete('B');
      expect(await exitFor('three.example')).to.equal('B');
      expect(await exitFor('three.example')).to.equal('B');
    });
  }

  it('shows what an exit said of the destination rather than that another one is down', async () => {
    choose({ exits: [exit('A'), exit('B')] });
    failing.set('A', 'destination_ip_prohibited').set('B', 'exit_unreachable');
    expect(await failureOf('example.com')).to.include({ code: 'destination_ip_prohibited' });
  });

  it('sends names to no exit for which they would have to be resolved here', async () => {
    choose({ exits: [exit('plain', false)] });
    const error = await failureOf('example.com');
    expect(error).to.include({ code: 'exit_unreachable' });
    expect(error.message).to.include('example.com');
    expect(attempts).to.deep.equal([]);
    expect(await exitFor('192.0.2.1')).to.equal('plain');
  });

  it('refuses what is longer than a name, without a word to an exit', async () => {
    expect(await failureOf('x'.repeat(255))).to.include({ code: 'http_request_error' });
    expect(attempts).to.deep.equal([]);
  });

  it('gives up an exit that gives no answer, and takes another', async () => {
    let given: AbortSignal | undefined;
    const openVia: ExitChooserOptions['openVia'] = ({ pubkey }, _destination, signal) => {
      if (pubkey === 'B') return Promise.resolve(new PassThrough());
      given = signal;
      return new Promise(() => undefined);
    };
    choose({ openVia, tryTimeoutMs: 10 });
    await open('example.com');
    expect(given?.reason).to.include({ code: 'exit_unreachable' });
  });

  it('tells the client when it takes too long in all', async () => {
    choose({ discover: () => new Promise(() => undefined), openTimeoutMs: 10 });
    const error = await failureOf('example.com');
    expect(error).to.include({ code: 'connection_timeout' });
    expect(error.message).to.include('example.com:443');
  });

  it('gives up with the client', async () => {
    const leaving = new AbortController();
    let signal: AbortSignal | undefined;
    const stream = new PassThrough();
    let answer: () => void = () => undefined;
    choose({
      openVia: (_exit, _destination, given) => {
        signal = given;
        return new Promise((resolve) => {
          answer = () => resolve(stream);
        });
      },
    });
    const opening = chooser.open({ host: 'example.com', port: 443 }, leaving.signal);
    await until(() => signal !== undefined);
    const reason = new NwsError('connection_terminated', 'the client left');
    leaving.abort(reason);
    expect(await errorOf(() => opening)).to.equal(reason);
    expect(signal?.aborted).to.equal(true);
    answer();
    await until(() => stream.destroyed);
  });

  it('ends its search when it closes', async () => {
    let signal: AbortSignal | undefined;
    choose({
      discover: async (given) => {
        signal = given;
        return [];
      },
    });
    await failureOf('example.com');
    chooser.close();
    expect(signal?.aborted).to.equal(true);
  });
});
