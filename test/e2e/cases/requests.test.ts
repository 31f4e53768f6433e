// Requests as clients send them (cases 12 to 14, 17, 21 to 24): a raw origin behind a real exit, curl in front.

import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { expect } from 'chai';
import { privatePem } from '../../../src/tls/files/key-file.js';
import { fingerprintOf } from '../../../src/tls/x509/x509.js';
import { selfSigned } from '../../tls/support.js';
import { World } from '../support/world.js';
import { CaseWorld } from './world.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('requests as clients send them, at the origin', function () {
  this.timeout(30_000);
  let cases: CaseWorld | undefined;
  afterEach(async () => {
    await cases?.close();
    cases = undefined;
  });

  /** The one head that came to the origin. */
  function head(): string {
    expect(cases!.heads).to.have.lengthOf(1);
    return cases!.heads[0]!;
  }

  async function ask(...args: string[]): Promise<string> {
    const { stdout } = await cases!.world.curl(...args, cases!.world.https('/'));
    return stdout;
  }

  it('12: names with underscores, which CGI takes for ours, are dropped', async () => {
    cases = await CaseWorld.start();
    cases.answer(OK);
    const names = ['X_Nostr_Entry: evil', 'X_Forwarded_Proto: http', 'x_real_ip: 127.0.0.1'];
    expect(await ask(...names.flatMap((name) => ['-H', name]), '-H', 'X-Fine: 1')).to.equal('ok');
    expect(head())
      .to.match(/^x-fine: 1\r$/im)
      .and.not.match(/^[^:\r\n]*_[^:\r\n]*:/m);
    expect(head())
      .to.match(/^x-forwarded-proto: https\r$/im)
      .and.not.include('evil');
  });

  it('13: X-Forwarded-For is an address or nothing, whatever the client says', async () => {
    cases = await CaseWorld.start();
    cases.answer(OK);
    await ask('-H', 'X-Forwarded-For: 10.0.0.1', '-H', 'Forwarded: for=10.0.0.1');
    expect(head()).to.not.match(/^x-forwarded-for:/im);
    expect(head()).to.match(/^forwarded: for=unknown;host="[^"]+\.nostr";proto=https\r$/im);
  });

  it('14: raw UTF-8 in a path and a query arrives percent-encoded, both ways in', async () => {
    cases = await CaseWorld.start();
    const path = '/sü?q=ü';
    for (const url of [cases.world.https(path), cases.world.http(path)]) {
      cases.answer(OK);
      expect((await cases.world.curl(url)).stdout).to.equal('ok');
      expect(head()).to.match(/^GET \/s%C3%BC\?q=%C3%BC HTTP/i);
    }
  });

  it('17: OPTIONS * and a method of nobody’s list pass', async () => {
    cases = await CaseWorld.start();
    cases.answer(OK);
    expect(await ask('-X', 'OPTIONS', '--request-target', '*')).to.equal('ok');
    expect(head()).to.match(/^OPTIONS \* HTTP/);
    cases.answer(OK);
    expect(await ask('-X', 'LIST')).to.equal('ok');
    expect(head()).to.match(/^LIST \/ HTTP/);
  });

  it('21: under a prefix, Location and cookies lead to where the client is', async () => {
    cases = await CaseWorld.start('/app');
    const own = `http://127.0.0.1:${cases.origin.port}`;
    for (const [location, shown] of [
      ['/app/login', '/login'],
      ['/app', '/'],
      ['/other', '/other'],
      ['/apple', '/apple'],
      [`${own}/app/x?y`, `//${cases.host}/x?y`],
      ['https://else.example/app/x', 'https://else.example/app/x'],
    ]) {
      const cookies = 'Set-Cookie: s=1; Path=/app\r\nSet-Cookie: t=2; path=/app/x; Secure\r\n';
      cases.answer(
        `HTTP/1.1 302 Found\r\nLocation: ${location}\r\n${cookies}Content-Length: 0\r\n\r\n`,
      );
      const answer = await ask('-i');
      expect(answer).to.match(
        new RegExp(`^location: ${shown!.replace(/[?/.]/g, '\\$&')}\r$`, 'im'),
      );
      expect(answer).to.match(/^set-cookie: s=1; Path=\/\r$/im);
      expect(answer).to.match(/^set-cookie: t=2; path=\/x; Secure\r$/im);
      expect(head())
        .to.match(/^GET \/app\/ HTTP/)
        .and.match(/^x-forwarded-prefix: \/app\r$/im);
    }
  });

  it('22: with the target’s own Host, Origin follows, and its own address comes back as ours', async () => {
    cases = await CaseWorld.start('', { exit: { hostHeader: 'target' } });
    const own = `127.0.0.1:${cases.origin.port}`;
    cases.answer(`HTTP/1.1 301 Moved\r\nLocation: http://${own}/next\r\nContent-Length: 0\r\n\r\n`);
    const origin = ['-H', `Origin: https://${cases.host}`];
    const upgrade = ['-H', 'Connection: Upgrade', '-H', 'Upgrade: websocket'];
    const answer = await ask('-i', ...origin, ...upgrade, '-H', 'Referer: https://else.example/');
    expect(answer).to.include(`//${cases.host}/next\r\n`);
    expect(head()).to.match(new RegExp(`^host: ${own}\r$`, 'im'));
    expect(head()).to.match(new RegExp(`^origin: https://${own}\r$`, 'im'));
    expect(head()).to.match(/^referer: https:\/\/else\.example\/\r$/im);
  });

  it('23: a hundred open event streams in absolute form leave room for one more request', async () => {
    cases = await CaseWorld.start();
    const { world } = cases;
    const open: Socket[] = [];
    cases.onRequest = (socket, asked) => {
      open.push(socket);
      if (asked.startsWith('GET /events')) {
        socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n');
      } else socket.write(OK);
    };
    const streams = Array.from({ length: 100 }, () => world.startCurl('-N', world.http('/events')));
    await Promise.all(
      streams.map((stream) => new Promise((resolve) => stream.stdout.once('data', resolve))),
    );
    expect((await world.curl(world.http('/'))).stdout).to.equal('ok');
    for (const stream of streams) stream.kill();
    for (const socket of open) socket.destroy();
  });

  it('24: a target with a certificate of its own is recognised by fingerprint, CA or name', async () => {
    const pair = selfSigned(undefined, ['nas.example']);
    const cert = pair.certificate.toString();
    const server = createTlsServer({ cert, key: privatePem(pair) }, (_req, res) => res.end('nas'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const target = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const fingerprint = fingerprintOf(pair.certificate);
    for (const [targetTrust, expected] of [
      [undefined, /^nws: cannot reach the target .*--target-fingerprint/],
      [{ fingerprint }, /^nas$/],
      [{ fingerprint: 'ab'.repeat(32) }, /shows another certificate/],
      [{ ca: cert, name: 'nas.example' }, /^nas$/],
      [{ ca: cert, name: 'else.example' }, /^nws: cannot reach the target/],
    ] as const) {
      const world = await World.start({ target, ...(targetTrust && { exit: { targetTrust } }) });
      expect((await world.curl(world.https('/'))).stdout).to.match(expected);
      await world.close();
    }
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});
