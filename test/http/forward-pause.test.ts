// What a client that reads slowly does to the origin's side, with the dispatcher in the test's hands.

import { once } from 'node:events';
import { get, type IncomingMessage, type Server } from 'node:http';
import { expect } from 'chai';
import type { Dispatcher } from 'undici';
import { forwardRequest } from '../../src/http/forward.js';
import { readAll } from '../support/read-all.js';
import { listenHttp, type Running } from '../support/servers.js';

const CHUNK = Buffer.alloc(100_000);

describe('http/forward: backpressure', () => {
  let front: Running<Server>;
  let handler: Dispatcher.DispatchHandler;
  let pauses: number;
  let controller: Dispatcher.DispatchController;
  let answer: Promise<[IncomingMessage]>;

  beforeEach(async () => {
    pauses = 0;
    const fake = { rawHeaders: [], pause: () => (pauses += 1), resume: () => undefined };
    controller = fake as unknown as Dispatcher.DispatchController;
    const dispatched = new Promise<void>((resolve) => {
      const dispatch = (_options: unknown, given: Dispatcher.DispatchHandler): void => {
        handler = given;
        resolve();
      };
      const dispatcher = { dispatch } as unknown as Dispatcher;
      const onError = (error: Error): never => expect.fail(error.message);
      void listenHttp((req, res) =>
        forwardRequest(req, res, { dispatcher, origin: '', path: '/', headers: [], onError }),
      ).then((running) => {
        front = running;
        answer = once(get({ port: running.port, host: '127.0.0.1' }), 'response') as typeof answer;
      });
    });
    await dispatched;
    handler.onRequestStart?.(controller, undefined);
  });
  afterEach(() => front.close());

  for (const [how, headers] of [
    ['of known length', { 'content-length': `${2 * CHUNK.length}` }],
    ['of unknown length', {}],
  ] as const) {
    it(`pauses an answer ${how}, but never behind its last byte`, async () => {
      handler.onResponseStart?.(controller, 200, headers);
      handler.onResponseData?.(controller, CHUNK);
      expect(pauses).to.equal(1);
      handler.onResponseData?.(controller, CHUNK);
      // Where the length is unknown, more of the framing follows, and undici waits for that.
      expect(pauses).to.equal('content-length' in headers ? 1 : 2);
      handler.onResponseEnd?.(controller, {});
      expect(await readAll((await answer)[0])).to.have.length(2 * CHUNK.length);
    });
  }
});
