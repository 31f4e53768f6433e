// Reading NIP-11 documents, and what they may change about the event limit.
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import { eventLimitBytes, fetchRelayInformation, readInformation } from '../../src/relay/nip11.js';
import { keepWriting } from '../support/keep-writing.js';

describe('NIP-11', () => {
  let server: Server;

  async function serve(listener: RequestListener): Promise<string> {
    server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async function failure(promise: Promise<unknown>): Promise<{ code: string; cause: Error }> {
    return promise.then(
      () => expect.fail('fetched'),
      (error: { code: string; cause: Error }) => error,
    );
  }

  afterEach(async () => {
    if (!server?.listening) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('fetches the document with the media type of NIP-11', async () => {
    const url = await serve((request, response) => {
      expect(request.headers.accept).to.equal('application/nostr+json');
      response.end('{"name":"x","limitation":{"max_message_length":131072,"auth_required":true}}');
    });
    const information = await fetchRelayInformation(url);
    expect(information).to.include({ name: 'x', maxMessageLength: 131_072, authRequired: true });
  });

  it('fails with relay_unreachable for anything else', async () => {
    for (const body of ['<html>', '', '{', `"${'x'.repeat(70_000)}"`]) {
      const url = await serve((_request, response) => response.end(body));
      expect(await failure(fetchRelayInformation(url))).to.include({ code: 'relay_unreachable' });
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    const url = await serve((_request, response) => response.writeHead(404).end('{}'));
    expect((await failure(fetchRelayInformation(url))).cause.message).to.equal('status 404');
  });

  it('stops reading a document without end', async () => {
    const url = await serve((_request, response) => keepWriting(response, 'x'.repeat(10_000)));
    const { cause } = await failure(fetchRelayInformation(url));
    expect(cause.message).to.equal('the document is too long');
  });

  it('can be called off', async () => {
    const controller = new AbortController();
    const url = await serve(() => controller.abort());
    const { signal } = controller;
    expect((await failure(fetchRelayInformation(url, { signal }))).cause.name).to.equal(
      'AbortError',
    );
  });

  it('leaves out what has the wrong type', () => {
    const empty = readInformation(null);
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const information = readInformation({ limitation: { max_message_length: value } });
        const isCount = Number.isSafeInteger(value) && (value as number) > 0;
        expect(information.maxMessageLength).to.equal(isCount ? value : undefined);
        expect(readInformation(value)).to.have.all.keys(Object.keys(empty));
      }),
    );
  });

  it('lowers the limit and never raises it', () => {
    const limit = (limitation: object) => eventLimitBytes(65_536, readInformation({ limitation }));
    expect(limit({})).to.equal(65_536);
    expect(limit({ max_message_length: 131_072 })).to.equal(65_536);
    expect(limit({ max_message_length: 65_536 })).to.equal(65_408);
    expect(limit({ max_message_length: 20_128, max_content_length: 30_000 })).to.equal(20_000);
    expect(limit({ max_content_length: 30_000 })).to.equal(30_000);
    expect(limit({ max_content_length: 500_000 })).to.equal(65_536);
  });

  it('does not believe a limit into which no message fits', () => {
    const information = readInformation({ limitation: { max_content_length: 100 } });
    expect(eventLimitBytes(65_536, information)).to.equal(65_536);
  });
});
