// Connections to where a stranger wants to go: one look at the resolver, every address judged, nothing
// dialled that was refused.

import { once } from 'node:events';
import { connect as netConnect, type Server, Socket } from 'node:net';
import { expect } from 'chai';
import type { NwsError } from '../../../src/errors.js';
import { dialGuarded, type GuardedDialOptions } from '../../../src/exit/dial/dial.js';
import { resolveAll } from '../../../src/exit/dial/resolve-all.js';
import { Policy } from '../../../src/exit/policy/policy.js';
import { errorOf } from '../../support/expect-error.js';
import { deadPort, listenTcp, type Running } from '../../support/servers.js';
import { until } from '../../support/until.js';
import { CLOSED_DESTINATIONS } from '../policy/destinations.table.js';
import { CLOSED_ADDRESSES, NO_ADDRESSES, OWN_ADDRESSES } from '../policy/policy.table.js';

const NAME = 'www.example.com';
const [PUBLIC, OTHER, PRIVATE] = ['93.184.215.100', '2606:4700::1111', '10.0.0.5'];

const policy = new Policy({
  ownPubkey: 'ab'.repeat(32),
  isPublic: true,
  allow: [],
  deny: [],
  ownAddresses: () => OWN_ADDRESSES,
});

/** A socket to this machine that claims to have reached another address. */
function claiming(address: string, port: number): Socket {
  const socket = netConnect(port, '127.0.0.1');
  Object.defineProperty(socket, 'remoteAddress', { value: address });
  return socket;
}

/** Resolver, policy and dialler that record what they are asked; every address is the port's server. */
function world(answers: readonly (readonly string[])[], portOf: (address: string) => number) {
  const resolved: string[] = [];
  const dialled: string[] = [];
  const sockets: Socket[] = [];
  const options: GuardedDialOptions = {
    host: NAME,
    port: 443,
    judge: (address) => policy.judgeAddress(NAME, address, 443),
    resolve: async (name) => answers[resolved.push(name) - 1] ?? expect.fail('asked once more'),
    connect: (address) => {
      dialled.push(address);
      const port = portOf(address);
      const socket = port === 0 ? new Socket() : claiming(address, port);
      sockets.push(socket);
      return socket;
    },
  };
  return { options, resolved, dialled, sockets };
}

const nowhere = (): number => 0;

describe('exit/dial, guarded', () => {
  let servers: Running<Server>[] = [];

  async function serve(onSocket: (socket: Socket) => void): Promise<Running<Server>> {
    const running = await listenTcp(onSocket);
    servers.push(running);
    return running;
  }

  afterEach(async () => {
    await Promise.all(servers.map((running) => running.close()));
    servers = [];
  });

  it('dials nothing of the table, whatever name leads there', async () => {
    for (const [address] of [...CLOSED_ADDRESSES, ...NO_ADDRESSES]) {
      const { options, resolved, dialled } = world([[address]], nowhere);
      const error = await errorOf(() => dialGuarded(options));
      expect([error.code, error.status], address).to.deep.equal(['destination_ip_prohibited', 403]);
      expect(dialled).to.deep.equal([]);
      expect(resolved).to.deep.equal([NAME]);
    }
  });

  it('dials and resolves nothing of the table that is asked for as it stands', async () => {
    const inBrackets = ([text]: readonly [string, string]): string =>
      text.includes(':') ? `[${text}]:443` : `${text}:443`;
    const asked = [
      ...CLOSED_ADDRESSES.map(inBrackets),
      ...CLOSED_DESTINATIONS.map(([text]) => text),
    ];
    const { options, resolved, dialled } = world([], nowhere);
    for (const destination of asked) {
      const error = await errorOf(async () => {
        const judged = policy.judgeDestination(destination);
        if (judged.kind === 'own-target') return;
        const judge = (address: string): void =>
          policy.judgeAddress(judged.host, address, judged.port);
        await dialGuarded({ ...options, ...judged, judge });
      });
      expect(error.code, destination).to.equal('destination_ip_prohibited');
    }
    expect([resolved, dialled]).to.deep.equal([[], []]);
  });

  it('judges literals that reach it unjudged, without a name server', async () => {
    for (const [host] of CLOSED_ADDRESSES) {
      const { options, resolved, dialled } = world([], nowhere);
      const error = await errorOf(() => dialGuarded({ ...options, host }));
      expect(error.code, host).to.equal('destination_ip_prohibited');
      expect([resolved, dialled]).to.deep.equal([[], []]);
    }
  });

  it('dials no text that would be resolved again, even if the judge lets it pass', async () => {
    for (const [text] of NO_ADDRESSES) {
      const { options, dialled } = world([[text]], nowhere);
      const error = await errorOf(() => dialGuarded({ ...options, judge: () => undefined }));
      expect(error.code, text).to.equal('destination_ip_prohibited');
      expect(dialled).to.deep.equal([]);
    }
  });

  it('follows no name that moves: public first, private a moment later', async () => {
    const running = await serve((socket) => socket.end());
    const answers = [[PUBLIC], [PRIVATE], ['127.0.0.1', '::1', '169.254.169.254']];
    const { options, resolved, dialled } = world(answers, () => running.port);
    (await dialGuarded(options)).destroy();
    for (const _ of answers.slice(1)) {
      expect((await errorOf(() => dialGuarded(options))).code).to.equal(
        'destination_ip_prohibited',
      );
    }
    expect(dialled).to.deep.equal([PUBLIC]);
    expect(resolved).to.deep.equal([NAME, NAME, NAME]);
  });

  it('dials what is public of a mixed answer', async () => {
    const running = await serve((socket) => socket.end());
    const answer = [PRIVATE, '::1', PUBLIC, 'fd00::1', '127.0.0.1', `::ffff:${PRIVATE}`];
    const { options, dialled } = world([answer], () => running.port);
    const socket = await dialGuarded(options);
    expect(socket.remoteAddress).to.equal(PUBLIC);
    expect(dialled).to.deep.equal([PUBLIC]);
    socket.destroy();
  });

  it('asks the judge again for each dial, so that a new address of this machine counts', async () => {
    const running = await serve((socket) => socket.end());
    const { options, dialled } = world([[PUBLIC], [PUBLIC]], () => running.port);
    let own: string[] = [];
    const moving = new Policy({
      ownPubkey: '',
      isPublic: true,
      allow: [],
      deny: [],
      ownAddresses: () => own,
    });
    const judge = (address: string): void => moving.judgeAddress(NAME, address, 443);
    (await dialGuarded({ ...options, judge })).destroy();
    own = [PUBLIC];
    expect((await errorOf(() => dialGuarded({ ...options, judge }))).code).to.equal(
      'destination_ip_prohibited',
    );
    expect(dialled).to.have.length(1);
  });

  it('keeps no connection that reached another address than the judged one', async () => {
    const running = await serve(() => undefined);
    const { options, sockets } = world([[PUBLIC]], nowhere);
    const connect = (): Socket => {
      sockets.push(netConnect(running.port, '127.0.0.1'));
      return sockets.at(-1)!;
    };
    const error = await errorOf(() => dialGuarded({ ...options, connect }));
    expect(error.code).to.equal('destination_ip_prohibited');
    expect(sockets.map(({ destroyed }) => destroyed)).to.deep.equal([true]);
  });

  it('connects for real, without a name server for an address', async () => {
    const running = await serve((socket) => socket.pipe(socket));
    const { port } = running;
    const judge = (): void => undefined;
    for (const host of ['127.0.0.1', '::ffff:127.0.0.1']) {
      const resolve = (): never => expect.fail('an address was resolved');
      const socket = await dialGuarded({ host, port, judge, resolve });
      expect([socket.allowHalfOpen, socket.remoteFamily]).to.deep.equal([true, 'IPv4']);
      socket.end('echo');
      expect(String((await once(socket, 'data'))[0])).to.equal('echo');
      await once(socket, 'close');
    }
    (await dialGuarded({ host: 'localhost', port, judge })).destroy();
  });

  it('tries the next address when one fails, and when one is slow', async () => {
    const running = await serve(() => undefined);
    const dead = await deadPort();
    for (const first of [dead, 0]) {
      const portOf = (address: string): number => (address === OTHER ? running.port : first);
      const { options, dialled, sockets } = world([[PUBLIC, OTHER]], portOf);
      const socket = await dialGuarded(options);
      expect(socket.remoteAddress).to.equal(OTHER);
      expect(dialled).to.deep.equal([PUBLIC, OTHER]);
      await until(() => sockets[0]!.destroyed);
      expect(sockets[1]!.destroyed).to.equal(false);
      socket.destroy();
    }
  });

  it('tries eight addresses at most, each once, the families in turn', async () => {
    const ipv6 = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => `2606:4700::${n}`);
    const ipv4 = [
      '8.8.8.1',
      '8.8.8.1',
      '::ffff:8.8.8.1',
      '8.8.8.2',
      '8.8.8.3',
      '8.8.8.4',
      '8.8.8.5',
    ];
    const dead = await deadPort();
    const { options, dialled } = world([[...ipv6, ...ipv4]], () => dead);
    const error = await errorOf(() => dialGuarded(options));
    expect(error.code).to.equal('connection_refused');
    expect(error.message).to.equal(`cannot reach ${NAME}:443: ECONNREFUSED`);
    expect(dialled).to.deep.equal([1, 2, 3, 4].flatMap((n) => [`2606:4700::${n}`, `8.8.8.${n}`]));
  });

  it('speaks of the connection, where one address was closed and another one failed', async () => {
    const dead = await deadPort();
    const { options } = world([[PRIVATE, PUBLIC]], () => dead);
    expect((await errorOf(() => dialGuarded(options))).code).to.equal('connection_refused');
  });

  it('gives up in time and on demand, and leaves no socket', async () => {
    const never = (): Promise<never> => new Promise(() => undefined);
    const codeOf = async (options: GuardedDialOptions): Promise<NwsError['code']> =>
      (await errorOf(() => dialGuarded(options))).code;
    const { options, dialled, sockets } = world([[PUBLIC], [PUBLIC]], nowhere);
    expect(await codeOf({ ...options, resolve: never, timeoutMs: 20 })).to.equal('dns_timeout');
    expect(await codeOf({ ...options, timeoutMs: 20 })).to.equal('connection_timeout');

    const leave = new AbortController();
    const { signal } = leave;
    const waiting = [
      codeOf({ ...options, signal }),
      codeOf({ ...options, resolve: never, signal }),
    ];
    await until(() => dialled.length === 2);
    leave.abort();
    const given = [...(await Promise.all(waiting)), await codeOf({ ...options, signal })];
    expect(given).to.deep.equal(given.map(() => 'connection_terminated'));
    expect(sockets.map(({ destroyed }) => destroyed)).to.deep.equal([true, true]);
  });

  it('says what is wrong with a name', async () => {
    const { options } = world([[]], nowhere);
    expect((await errorOf(() => dialGuarded(options))).code).to.equal('dns_error');
    const codes = [
      ['ENOTFOUND', 'dns_error'],
      ['EAI_AGAIN', 'dns_timeout'],
      ['EAI_FAIL', 'dns_error'],
    ];
    for (const [code, expected] of codes) {
      const resolve = (): Promise<never> =>
        Promise.reject(Object.assign(new Error('no'), { code }));
      expect((await errorOf(() => dialGuarded({ ...options, resolve }))).code).to.equal(expected);
    }
  });
});

describe('exit/resolve-all', () => {
  it('gives all addresses, or says that there is none, here for what no name server is asked', async () => {
    const found = await resolveAll('localhost');
    expect(found.filter((address) => address !== '127.0.0.1' && address !== '::1')).to.deep.equal(
      [],
    );
    expect(found).not.to.deep.equal([]);
    const error = await errorOf(() => resolveAll('a'.repeat(64)));
    expect(error.code).to.be.oneOf(['dns_error', 'dns_timeout']);
  });

  it('bounds how many names are asked for at once', async () => {
    const asked = Array.from({ length: 257 }, () => resolveAll('localhost'));
    expect((await errorOf(() => asked.at(-1)!)).code).to.equal('connection_limit_reached');
    await Promise.all(asked.slice(0, -1));
    expect(await resolveAll('localhost')).not.to.deep.equal([]);
  });
});
