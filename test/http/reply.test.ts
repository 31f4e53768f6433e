// Failure answers as a client reads them.

import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { expect } from 'chai';
import { fetch } from 'undici';
import { NwsError } from '../../src/errors.js';
import { proxyStatus, replyFailure, replyFailureRaw } from '../../src/http/reply.js';
import { readAll } from '../support/read-all.js';
import { listenHttp, listenTcp, type Running } from '../support/servers.js';

const REFUSED = new NwsError('connection_refused', 'nobody listens', { hint: 'start the server' });
const HOSTILE = new NwsError('pin_mismatch', '<script>alert("1")</script>\r\nX-Evil: 1', {
  hint: `back\\slash 'quote' é`,
});

describe('http/reply', () => {
  let running: Running<Server>;
  let failure: NwsError;

  before(async () => {
    running = await listenHttp((_req, res) => replyFailure(res, failure));
  });
  after(() => running.close());

  const get = (accept: string) =>
    fetch(`http://127.0.0.1:${running.port}/`, { headers: { accept } });

  it('answers curl with one line that says what happened and what helps', async () => {
    failure = REFUSED;
    const res = await get('*/*');
    expect(res.status).to.equal(502);
    expect(res.headers.get('content-type')).to.equal('text/plain; charset=utf-8');
    expect(res.headers.get('cache-control')).to.equal('no-store');
    expect(res.headers.get('connection')).to.equal('close');
    expect(res.headers.get('proxy-status')).to.equal(
      'nws; error=connection_refused; details="nobody listens (start the server)"',
    );
    expect(await res.text()).to.equal('nws: nobody listens (start the server)\n');
  });

  it('answers a browser with a page that loads and runs nothing', async () => {
    failure = HOSTILE;
    const res = await get('text/html,application/xhtml+xml');
    const page = await res.text();
    expect(res.headers.get('content-type')).to.equal('text/html; charset=utf-8');
    expect(res.headers.get('content-security-policy')).to.contain("default-src 'none'");
    expect(res.headers.get('x-evil')).to.equal(null);
    expect(page).to.contain('&#60;script&#62;').and.not.contain('<script');
    expect(page).not.to.match(/\bsrc=|\bhref="[^"]/);
  });

  it('escapes Proxy-Status as a structured string of printable ASCII', () => {
    expect(proxyStatus(HOSTILE)).to.equal(
      'nws; error=tls_certificate_error; details="' +
        `<script>alert(\\"1\\")</script> X-Evil: 1 (back\\\\slash 'quote' ?)"`,
    );
    const long = proxyStatus(new NwsError('dns_error', '"'.repeat(5000)));
    expect(long.length).to.be.below(1200);
  });

  it('reads the rest of an upload, so that its client gets the answer', async () => {
    failure = REFUSED;
    const body = Buffer.alloc(5_000_000);
    const res = await fetch(`http://127.0.0.1:${running.port}/`, { method: 'POST', body });
    expect(await res.text()).to.contain('nobody listens');
  });

  it('answers on a raw connection, and closes it', async () => {
    const tcp = await listenTcp((socket) => replyFailureRaw(socket, HOSTILE, '*/*'));
    const client = connect(tcp.port, '127.0.0.1');
    const closed = once(client, 'close');
    const [head, body] = (await readAll(client)).toString().split('\r\n\r\n');
    expect(head).to.match(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
    expect(head).to.contain('\r\nConnection: close').and.not.contain('\r\nX-Evil');
    expect(head).to.contain(`\r\nContent-Length: ${Buffer.byteLength(body!)}\r\n`);
    expect(body!.split('\n')).to.have.length(2);
    await closed;
    await tcp.close();
  });
});
