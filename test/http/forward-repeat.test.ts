// An origin that closes a connection just as it is chosen: what may be asked twice is, and nothing else.

import { once } from 'node:events';
import { expect } from 'chai';
import { Forwarder } from '../support/forwarder.js';
import { readAll } from '../support/read-all.js';

describe('http/forward to an origin that closes connections', () => {
  let forwarder: Forwarder;
  let requests: number;

  beforeEach(async () => {
    forwarder = await Forwarder.start();
    requests = 0;
  });
  afterEach(() => forwarder.close());

  /** Resets the first connections without an answer. */
  function resetFirst(count: number): Promise<unknown> {
    return forwarder.serve((req, res) => {
      requests += 1;
      if (requests <= count) req.socket.resetAndDestroy();
      else res.end('at last');
    });
  }

  for (const method of ['GET', 'DELETE', 'PUT', 'OPTIONS']) {
    it(`asks a second time for ${method} without a body`, async () => {
      await resetFirst(1);
      const { outgoing, answer } = forwarder.send({ method, headers: { 'Content-Length': 0 } });
      outgoing.end();
      expect((await readAll(await answer)).toString()).to.equal('at last');
      expect(requests).to.equal(2);
    });
  }

  it('does not ask a third time', async () => {
    await resetFirst(9);
    const { outgoing, answer } = forwarder.send();
    outgoing.end();
    expect((await answer).statusCode).to.equal(502);
    expect(requests).to.equal(2);
  });

  for (const [method, body] of [
    ['POST', ''],
    ['POST', 'a body'],
    ['PATCH', ''],
    ['PUT', 'a body'],
  ] as const) {
    it(`asks once only for ${method} with ${body || 'no body'}`, async () => {
      await resetFirst(9);
      const headers = { 'Content-Length': body.length };
      const { outgoing, answer } = forwarder.send({ method, headers });
      outgoing.end(body);
      const response = await answer;
      response.resume();
      await once(response, 'end');
      expect([response.statusCode, requests]).to.deep.equal([502, 1]);
    });
  }
});
