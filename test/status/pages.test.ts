// The pages over HTTP: what a browser is told to allow them, who is kept out, and the page as it is kept up to date.

import type { IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { pino } from 'pino';
import { NwsError } from '../../src/errors.js';
import { StatusServer, type StatusServerOptions } from '../../src/status/serving/server.js';
import type { Subject } from '../../src/status/state/watch.js';
import { errorOf } from '../support/expect-error.js';
import { subject } from '../support/subject.js';
import { until } from '../support/until.js';
import { ask as askUrl } from './get.js';
import { FakeStream } from './streams.js';

const log = pino({ level: 'silent' });
const LOOPBACK = { host: '127.0.0.1', port: 0 };
const PEER = '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798';

describe('status pages', () => {
  let watched: Subject;
  let server: StatusServer;

  async function start(options: Partial<StatusServerOptions> = {}): Promise<void> {
    server = await StatusServer.start({ listen: LOOPBACK, subject: watched, log, ...options });
  }

  beforeEach(() => {
    watched = subject({ role: 'exit' });
  });
  afterEach(() => server.close());

  const ask = (path: string, headers = {}, method = 'GET'): Promise<IncomingMessage> =>
    askUrl(`${server.url}${path}`, headers, method);

  async function get(path: string, headers = {}): Promise<{ status: number; text: string }> {
    const response = await ask(path, headers);
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    return { status: response.statusCode ?? 0, text };
  }

  /** What a page is sent, as it comes. */
  async function watch(query = ''): Promise<{ states: State[]; response: IncomingMessage }> {
    const response = await ask(`/events${query}`);
    const states: State[] = [];
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) {
        const data = /^data: (.*)$/m.exec(event)?.[1];
        if (data !== undefined) states.push(JSON.parse(data) as State);
      }
    });
    response.on('error', () => undefined);
    return { states, response };
  }

  interface State {
    readonly summary: { readonly streamsOpen: number };
    readonly tables: { readonly streams?: { rows: { host: string }[]; gone: string[] } };
    readonly samples?: unknown[];
    readonly sample?: unknown;
  }

  it('allow a browser their own files and nothing else', async () => {
    await start();
    for (const path of ['/', '/status.json', '/status/page.js', '/status/uplot.js', '/nowhere']) {
      const { headers } = (await ask(path)).resume();
      const policy = String(headers['content-security-policy']);
      expect(policy).to.include("default-src 'none'").and.include("frame-ancestors 'none'");
      expect(policy).to.not.match(/unsafe|\*|http|data:/);
      expect(headers).to.include({
        'cache-control': 'no-store',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      });
      expect(headers).to.not.have.property('access-control-allow-origin');
    }
  });

  it('have all that the page asks for, and have it say nothing inline', async () => {
    await start();
    const pending = ['/'];
    const seen = new Set(pending);
    for (const path of pending) {
      const { status, text } = await get(path);
      expect([path, status]).to.deep.equal([path, 200]);
      if (path.includes('uplot')) continue;
      if (path === '/') expect(text).to.not.match(/\sstyle=|<style|<script>|\son\w+=|https?:/);
      const links = [...text.matchAll(/(?:(?:src|href)="|from '\.\/)([\w./-]+)/g)];
      for (const [, link = ''] of links) {
        const next = link.startsWith('/') ? link : `/status/${link}`;
        if (seen.has(next) || /\.(pac|pem)$/.test(next)) continue;
        seen.add(next);
        pending.push(next);
      }
    }
    expect([...seen]).to.include.members(['/status/page.css', '/status/uplot.js', '/metrics']);
  });

  it('are for the names of this machine alone, where no password is set', async () => {
    await start();
    for (const path of [
      '/',
      '/status.json',
      '/metrics',
      '/healthz',
      '/events',
      '/status/page.js',
    ]) {
      expect((await get(path, { host: 'evil.example' })).status).to.equal(403);
      expect((await get(path, { origin: 'http://evil.example' })).status).to.equal(403);
    }
    expect((await ask('/status.json', {}, 'POST')).resume().statusCode).to.equal(405);
    expect((await ask('/status.json', {}, 'HEAD')).resume().statusCode).to.equal(200);
    for (const path of ['/../package.json', '/status/../../x', '/__proto__', '/status/%2e%2e/x']) {
      expect((await get(path)).status).to.equal(404);
    }
  });

  it('want the password where one is set, by whatever name they are asked for', async () => {
    await start({ auth: { user: 'anna', password: 'secret' } });
    const basic = (text: string) => ({ authorization: `Basic ${btoa(text)}` });
    const host = { host: 'exit.example' };
    for (const path of ['/', '/status.json', '/metrics', '/readyz', '/events', '/status/page.js']) {
      const refused = (await ask(path, host)).resume();
      expect(refused.statusCode).to.equal(401);
      expect(refused.headers['www-authenticate']).to.match(/^Basic /);
    }
    expect((await get('/status.json', { ...host, ...basic('anna:wrong') })).status).to.equal(401);
    expect((await get('/status.json', { ...host, ...basic('anna:secret') })).status).to.equal(200);
    const page = { origin: 'http://evil.example', ...basic('anna:secret') };
    expect((await get('/status.json', page)).status).to.equal(403);
    expect(await get('/healthz', host)).to.deep.equal({ status: 200, text: 'ok\n' });
  });

  it('say why no request can be served', async () => {
    let obstacle: string | undefined = 'no relay is up';
    watched = subject({ obstacle: () => obstacle });
    await start();
    expect(await get('/readyz')).to.deep.equal({ status: 503, text: 'no relay is up\n' });
    obstacle = undefined;
    expect(await get('/readyz')).to.deep.equal({ status: 200, text: 'ready\n' });
  });

  it('are live: a stream comes and goes without anybody asking', async () => {
    await start();
    const { states, response } = await watch();
    await until(() => states.length > 0);
    expect(states[0]).to.have.property('samples').that.is.an('array');
    const stream = new FakeStream(1, 2);
    watched.accounts.opened({ peer: PEER, destination: 'x.nostr:1' }, stream);
    await until(() => states.some(({ tables }) => tables.streams?.rows[0]?.host === 'x.nostr:1'));
    await stream.close();
    await until(() => states.some(({ tables }) => tables.streams?.gone.includes('1') ?? false));
    expect(states.at(-1)).to.have.nested.property('summary.streamsOpen', 0);
    response.destroy();
  });

  it('are kept live for so many, and for others once these have left', async () => {
    await start();
    const viewers = await Promise.all(Array.from({ length: 16 }, () => watch()));
    const one = await get('/events');
    expect(one.status).to.equal(503);
    expect(one.text).to.match(/as many pages are open/);
    for (const { response } of viewers) response.destroy();
    await until(() => server.viewers === 0);
    const { states, response } = await watch();
    await until(() => states.length > 0);
    response.destroy();
  });

  it('outlive a mistake of ours, and tell of it', async () => {
    watched = subject({
      obstacle: () => {
        throw new Error('a mistake of ours');
      },
    });
    await start();
    expect(await get('/status.json')).to.include({ status: 500 });
    const read = await get('/events').then(
      ({ text }) => text,
      () => 'cut',
    );
    expect(read).to.not.include('data:');
    expect(await get('/healthz')).to.include({ status: 200 });
    expect(server.viewers).to.equal(0);
  });

  it('end with the program', async () => {
    await start();
    const { states, response } = await watch();
    await until(() => states.length > 0);
    const ended = new Promise((resolve) => response.once('end', resolve));
    await server.close();
    await ended;
  });

  it('say so where the address is taken', async () => {
    await start();
    const listen = { host: '127.0.0.1', port: Number(new URL(server.url).port) };
    const error = await errorOf(() => StatusServer.start({ listen, subject: watched, log }));
    expect(error).to.be.instanceOf(NwsError).and.include({ code: 'address_in_use' });
    expect(error.hint).to.match(/--status/);
  });
});
