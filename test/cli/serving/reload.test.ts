// SIGHUP: settings that change while a service runs, those that can't, and those that are wrong.

import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { expect } from 'chai';
import { encodeName, encodeNpub } from '../../../src/protocol/names/address.js';
import { MemoryRelay } from '../../../src/relay/embedded/memory-relay.js';
import { curl } from '../../proxy/curl.js';
import { listen, type Running as RunningServer } from '../../support/servers.js';
import { until } from '../../support/until.js';
import { newSigner } from '../../tls/support.js';
import { jsonLines, type Running, run, start, useTempFolder } from '../harness.js';

const { pubkey } = newSigner();

describe('SIGHUP', function () {
  this.timeout(30_000);
  const folder = useTempFolder();

  /** A service with `.env`, that can be sent SIGHUP; `logged` has what it said to that. */
  async function started(argv: readonly string[], env: Record<string, string>) {
    await settings(env);
    const running = start(folder.path, [...argv, '--json', '--log-format', 'json']);
    let text = '';
    running.io.stderr.on('data', (chunk) => {
      text += chunk;
    });
    const [event] = jsonLines((await running.firstOutput()) ?? '');
    const hangUp = async (next: Record<string, string>): Promise<string> => {
      await settings(next);
      const before = text.length;
      running.io.signals.emit('signal', 'SIGHUP');
      await until(() => /"msg":"(settings were|the settings|--)[^\n]*\n/.test(text.slice(before)));
      return text.slice(before);
    };
    return { running, event: event!, hangUp };
  }

  async function settings(env: Record<string, string>): Promise<void> {
    const lines = Object.entries(env).map(([name, value]) => `${name}="${value}"\n`);
    await writeFile(join(folder.path, '.env'), lines.join(''));
  }

  async function ends(running: Running): Promise<void> {
    running.io.signals.emit('signal', 'SIGTERM');
    expect(await running.result).to.include({ status: 0 });
    expect(running.io.signals.listenerCount('signal')).to.equal(0);
  }

  it('gives a proxy other aliases, and its log another level', async () => {
    const { running, event, hangUp } = await started(['proxy', '--listen', '127.0.0.1:0'], {});
    const ask = async () =>
      (await curl('-i', '--proxy', String(event.listen), 'http://shop.nostr/')).stdout;
    expect(await ask()).to.match(/"shop" is not a public key/);
    const NWS_ALIASES = `shop.nostr=${encodeNpub(pubkey)}`;
    expect(await hangUp({ NWS_ALIASES })).to.include('read again: --alias"');
    expect(await ask()).to.match(/no relay is known for shop\.nostr/);
    const said = await hangUp({ NWS_ALIASES, NWS_LOG_LEVEL: 'debug' });
    expect(said).to.include('read again: --log-level"');
    expect(await hangUp({ NWS_ALIASES, NWS_LOG_LEVEL: 'debug' })).to.include('nothing has changed');
    await ends(running);
  });

  it('says what takes a restart, each time', async () => {
    const { running, hangUp } = await started(['proxy', '--listen', '127.0.0.1:0'], {});
    const changed = { NWS_TLS: 'passthrough', NWS_REQUIRE_PIN: 'true' };
    for (let time = 0; time < 2; time++) {
      expect(await hangUp(changed)).to.match(/--tls, --require-pin changed: that takes a restart/);
    }
    expect(await hangUp({})).to.include('nothing has changed');
    await ends(running);
  });

  it('changes nothing by settings that can’t be used', async () => {
    const NWS_ALIASES = `shop.nostr=${encodeNpub(pubkey)}`;
    const { running, event, hangUp } = await started(['proxy', '--listen', '127.0.0.1:0'], {
      NWS_ALIASES,
    });
    expect(await hangUp({ NWS_TLS: 'nonsense' })).to.match(/stay as they were: NWS_TLS.*in \.env/);
    const { stdout } = await curl('-i', '--proxy', String(event.listen), 'http://shop.nostr/');
    expect(stdout).to.match(/no relay is known for shop\.nostr/);
    await ends(running);
  });

  describe('to an exit', () => {
    let relay: MemoryRelay;
    let site: RunningServer<Server>;
    before(async () => {
      relay = await MemoryRelay.start({});
      site = await listen(createServer((_req, res) => void res.end('hello\n')));
    });
    after(async () => {
      await relay.close();
      await site.close();
    });

    it('changes who may come, without a restart', async () => {
      const target = `http://127.0.0.1:${site.port}`;
      const argv = ['exit', '--target', target, '--relay', relay.url];
      const { running, event, hangUp } = await started(argv, {});
      const host = encodeName({ pubkey: String(event.pubkey), relays: [relay.url] });
      const status = async (): Promise<string> => {
        const script = `curl -sS -o /dev/null -w '%{http_code}' https://${host}/ > code`;
        await run(folder.path, ['run', '--', 'sh', '-c', script], { NWS_ALIASES: '' });
        return readFile(join(folder.path, 'code'), 'utf8');
      };
      expect(await status()).to.equal('200');
      const NWS_ALLOW_CLIENTS = encodeNpub(pubkey);
      expect(await hangUp({ NWS_ALLOW_CLIENTS })).to.include('read again: --allow-client"');
      expect(await status()).to.equal('403');
      const limits = await hangUp({ NWS_CLIENT_STREAMS: '5' });
      expect(limits).to.match(
        /read again: .*--allow-client.*--client-streams|--client-streams.*--allow-client/,
      );
      expect(await status()).to.equal('200');
      await ends(running);
    });
  });

  it('ends a service at a terminal, which is gone then', async () => {
    await settings({});
    const running = start(folder.path, ['proxy', '--listen', '127.0.0.1:0', '--json']);
    Object.assign(running.io.stdin, { isTTY: true });
    await running.firstOutput();
    running.io.signals.emit('signal', 'SIGHUP');
    expect(await running.result).to.include({ status: 0 });
  });

  it('ends a command that has nothing to read again', async () => {
    const running = start(folder.path, ['relay', '--listen', '127.0.0.1:0', '--json']);
    await running.firstOutput();
    running.io.signals.emit('signal', 'SIGHUP');
    expect(await running.result).to.include({ status: 0 });
  });
});
