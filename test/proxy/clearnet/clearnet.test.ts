// CONNECT to hosts that aren't `.nostr`.

import { expect } from 'chai';
import { readAll } from '../../support/read-all.js';
import { deadPort, listenTcp } from '../../support/servers.js';
import { settled, TestEntry } from '../fixture.js';

describe('proxy: CONNECT to the clear web', () => {
  let entry: TestEntry;

  beforeEach(async () => {
    entry = await TestEntry.start();
  });

  afterEach(() => entry.close());

  async function answerTo(authority: string): Promise<string> {
    const socket = await entry.dial();
    socket.write(`CONNECT ${authority} HTTP/1.1\r\n\r\n`);
    const answer = String(await readAll(socket));
    socket.end();
    await settled(() => entry.listener.connections);
    return answer;
  }

  it('dials and passes bytes, half-closes included', async () => {
    const echo = await listenTcp((socket) => socket.pipe(socket));
    for (const host of ['127.0.0.1', 'localhost']) {
      const socket = await entry.tunnelled(host, echo.port);
      socket.end('hello');
      expect(String(await readAll(socket))).to.equal('hello');
    }
    await settled(() => entry.listener.connections + echo.sockets.size);
    expect(entry.opened).to.deep.equal([]);
    await echo.close();
  });

  it('passes what was sent along with the request', async () => {
    const echo = await listenTcp((socket) => socket.pipe(socket));
    const socket = await entry.dial();
    socket.end(`CONNECT 127.0.0.1:${echo.port} HTTP/1.1\r\n\r\nearly`);
    expect(String(await readAll(socket))).to.match(/^HTTP\/1\.1 200 .*\r\n\r\nearly$/s);
    await settled(() => entry.listener.connections + echo.sockets.size);
    await echo.close();
  });

  it('answers 502 and says why when nobody listens, or the name is unknown', async () => {
    const port = await deadPort();
    expect(await answerTo(`127.0.0.1:${port}`)).to.match(
      new RegExp(
        `^HTTP/1\\.1 502 .*error=connection_refused.*can't connect to 127.0.0.1:${port}`,
        's',
      ),
    );
    expect(await answerTo(`${'no-such-label'.repeat(6)}.invalid:80`)).to.match(
      /^HTTP\/1\.1 50[24] .*error=dns_/s,
    );
  });

  it('refuses where settings deny it', async () => {
    await entry.close();
    entry = await TestEntry.start({ clearnet: 'deny' });
    const answer = await answerTo('127.0.0.1:80');
    expect(answer).to.match(/^HTTP\/1\.1 403 .*error=http_request_denied.*not a \.nostr host/s);
  });
});
