// Node's own clients through an entry of the library: http.request(), https.request(), fetch().

import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { fetch } from 'undici';
import { createAgent, createDispatcher, createProxy } from '../../src/index.js';
import { readAll } from '../support/read-all.js';
import { Library } from './library.js';

describe('the library: Node’s own clients', () => {
  let library: Library;

  beforeEach(async () => {
    library = await Library.start();
    await library.exit.serve((request) => new Response(`${request.method} ${request.url}`));
  });
  afterEach(() => library.close());

  const get = async (url: string): Promise<[http.IncomingMessage, string]> => {
    const { get } = url.startsWith('https:') ? https : http;
    const [answer] = await once(get(url, { agent: library.agent }), 'response');
    return [answer, String(await readAll(answer))];
  };

  it('go by one agent for https and http, which keeps connections', async () => {
    let opened = 0;
    library.proxy.events.on('stream', ({ state }) => (opened += state === 'opened' ? 1 : 0));
    for (const scheme of ['https', 'http', 'https', 'https']) {
      const url = `${scheme}://${library.exit.domain}/page`;
      const [answer, text] = await get(url);
      expect([answer.statusCode, text]).to.deep.equal([200, `GET ${url}`]);
    }
    expect(opened).to.equal(2);
  });

  it('check the certificate by the agent', async () => {
    const request = https.get(`https://${library.exit.domain}/`, { agent: library.agent });
    const [answer] = await once(request, 'response');
    const socket = answer.socket as TLSSocket;
    expect([socket.authorized, socket.getPeerCertificate().subjectaltname]).to.deep.equal([
      true,
      `DNS:${library.exit.domain}`,
    ]);
    await readAll(answer);
  });

  it('are told by status and error of what goes wrong', async () => {
    await library.exit.close(0);
    const [answer, text] = await get(`https://${library.exit.domain}/`);
    expect(answer.statusCode).to.equal(504);
    expect(answer.headers['proxy-status']).to.match(/error=/);
    expect(text).to.match(/exit/);
  });

  it('log in where the entry asks for it', async () => {
    const auth = { user: 'me', password: 'p@ss' };
    const home = library.proxy.caPath.replace(/certs.*$/, '');
    const proxy = await createProxy({ home, auth });
    const url = proxy.url.replace('//', '//me:p%40ss@');
    const { caPath } = proxy;
    const agent = await createAgent({ url, caPath });
    const dispatcher = await createDispatcher({ url, caPath });
    const page = `https://${library.exit.domain}/`;
    const [answer] = await once(https.get(page, { agent }), 'response');
    expect(String(await readAll(answer))).to.equal(`GET ${page}`);
    expect(await (await fetch(page, { dispatcher })).text()).to.equal(`GET ${page}`);
    agent.destroy();
    await dispatcher.destroy();
    await proxy.close(0);
  });
});
