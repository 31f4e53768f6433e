// The commands that run until they are told to end: what they say when they are ready, and how they leave.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect } from 'chai';
import { WebSocket } from 'ws';
import { serve } from '../../src/cli/serve.js';
import { decodeHost } from '../../src/protocol/names/address.js';
import { curl } from '../proxy/curl.js';
import { silent } from '../proxy/fixture.js';
import { jsonLines, start, useTempFolder } from './harness.js';

describe('a command that serves', () => {
  const folder = useTempFolder();

  /** Starts a command with --json, and gives its ready line and a way to end it with status 0. */
  async function ready(argv: readonly string[]) {
    const running = start(folder.path, [...argv, '--json', '--log-level', 'silent']);
    const [event] = jsonLines((await running.firstOutput()) ?? '');
    const stop = async (): Promise<void> => {
      running.io.signals.emit('signal', 'SIGTERM');
      const { status, stderr } = await running.result;
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
      expect(running.io.signals.listenerCount('signal')).to.equal(0);
    };
    return { event: event ?? (await running.result), stop };
  }

  it('relay: tells its URL, and ends with 0', async () => {
    const { event, stop } = await ready(['relay', '--listen', '127.0.0.1:0']);
    expect(event).to.include({ event: 'ready' });
    const socket = new WebSocket(String((event as { url: string }).url));
    await once(socket, 'open');
    const closed = once(socket, 'close');
    await stop();
    await closed;
  });

  it('proxy: needs no relay, tells its URL and its CA, and ends with 0', async () => {
    const { event, stop } = await ready(['proxy', '--listen', '127.0.0.1:0']);
    expect(event).to.have.keys('event', 'listen', 'ca');
    const { listen } = event as { listen: string };
    expect((await fetch(`${listen}/healthz`)).status).to.equal(200);
    await stop();
  });

  it('proxy: asks for what --auth says', async () => {
    const { event, stop } = await ready([
      'proxy',
      '--listen',
      '127.0.0.1:0',
      '--auth',
      'me:secret',
    ]);
    const { listen } = event as { listen: string };
    const ask = (user: string) =>
      curl('--proxy', listen, '--proxy-user', user, '-w', '%{http_code}', 'http://localhost:1/');
    expect((await ask('me:wrong')).stdout).to.match(/407$/);
    expect((await ask('me:secret')).stdout).to.match(/502$/); // nobody listens there
    await stop();
  });

  it('exit: tells who it is, by the relay it uses, and ends with 0', async () => {
    const relay = await ready(['relay', '--listen', '127.0.0.1:0']);
    const { url } = relay.event as { url: string };
    const argv = ['exit', '--target', 'http://127.0.0.1:1', '--relay', url];
    const { event, stop } = await ready(argv);
    expect(event).to.have.keys('event', 'pubkey', 'npub', 'domain', 'nprofile');
    const { pubkey, domain, nprofile } = event as Record<string, string>;
    expect(decodeHost(domain!)).to.deep.equal({ pubkey, relays: [url] });
    expect(decodeHost(nprofile!)).to.deep.equal({ pubkey, relays: [url] });
    await stop();
    const again = await ready(argv);
    expect(again.event).to.include({ pubkey });
    await again.stop();
    await relay.stop();
  });

  it('says in one line that its port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const listen = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
    for (const command of ['proxy', 'relay']) {
      const { result } = start(folder.path, [command, '--listen', listen]);
      const { status, stderr } = await result;
      expect(status).to.equal(1);
      expect(stderr).to.match(/^nws: .*(in use|taken).*\nhint: .+\n$/);
    }
    taken.close();
    await once(taken, 'close');
  });
});

describe('serve', () => {
  const folder = useTempFolder();

  it('leaves at the second signal, whatever is still closing', async () => {
    const { io, result } = start(folder.path, ['--version']);
    await result;
    let isReady = (): void => undefined;
    const becameReady = new Promise<void>((resolve) => {
      isReady = resolve;
    });
    const service = { close: () => new Promise<void>(() => undefined) };
    const served = serve(
      io,
      async () => service,
      () => void isReady(),
      { log: silent },
    );
    await becameReady;
    io.signals.emit('signal', 'SIGINT');
    await new Promise(setImmediate);
    io.signals.emit('signal', 'SIGINT');
    await served;
  });

  it('leaves at a signal while it starts, and closes what becomes ready after all', async () => {
    const { io, result } = start(folder.path, ['--version']);
    await result;
    let finish = (): void => undefined;
    const closed = new Promise<number | undefined>((resolve) => {
      const service = { close: async (graceMs?: number) => resolve(graceMs) };
      const starting = new Promise<typeof service>((started) => {
        finish = () => started(service);
      });
      const served = serve(
        io,
        () => starting,
        () => undefined,
        { log: silent },
      );
      io.signals.emit('signal', 'SIGTERM');
      void served.then(finish);
    });
    expect(await closed).to.equal(0);
  });
});
