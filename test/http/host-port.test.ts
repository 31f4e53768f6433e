// Authorities and absolute-form targets as clients write them.

import { expect } from 'chai';
import fc from 'fast-check';
import { NwsError } from '../../src/errors.js';
import {
  formatHostPort,
  isLoopbackHost,
  parseAbsoluteForm,
  parseHostPort,
} from '../../src/http/host-port.js';
import { expectError } from '../support/expect-error.js';

describe('proxy: host and port', () => {
  it('reads names and addresses', () => {
    expect(parseHostPort('a.nostr:443')).to.deep.equal({ host: 'a.nostr', port: 443 });
    expect(parseHostPort('[::1]:80')).to.deep.equal({ host: '::1', port: 80 });
    expect(parseHostPort('a.nostr', 80)).to.deep.equal({ host: 'a.nostr', port: 80 });
    expect(parseHostPort('a.nostr:', 80)).to.deep.equal({ host: 'a.nostr', port: 80 });
  });

  for (const text of [
    ...['', ':443', 'a', 'a:', 'a:0', 'a:65536', 'a:123456', 'a:b', 'a:1:2', 'a b:1', '::1:80'],
    ...['[::1]', '[]:1', '[a]:1', '[::1:1', 'a@b:1', '/:1', 'http://a:1', 'a:-1', 'a:1\n'],
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expectError('http_request_error', () => parseHostPort(text));
    });
  }

  it('writes what it reads', () => {
    const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(host, fc.integer({ min: 1, max: 65_535 }), (name, port) => {
        const parts = { host: name, port };
        expect(parseHostPort(formatHostPort(parts))).to.deep.equal(parts);
      }),
    );
  });

  it('throws nothing but its own error at any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseAbsoluteForm(`http://${text}`);
          parseHostPort(text);
        } catch (error) {
          expect(error).to.be.instanceOf(NwsError);
        }
      }),
    );
  });

  it('reads absolute forms, and keeps the path as it was written', () => {
    expect(parseAbsoluteForm('HTTP://u:p@A.nostr:81/x/../%41?q#f')).to.deep.equal({
      scheme: 'http',
      host: 'A.nostr',
      port: 81,
      authority: 'A.nostr:81',
      path: '/x/../%41?q',
    });
    expect(parseAbsoluteForm('https://a')).to.include({ scheme: 'https', port: 443, path: '/' });
    expect(parseAbsoluteForm('wss://a?x')).to.include({ scheme: 'https', path: '/?x' });
    expect(parseAbsoluteForm('ws://a/')).to.include({ scheme: 'http', port: 80 });
  });

  it('leaves other forms alone', () => {
    for (const target of ['/', '*', '/http://a/', 'ftp://a/', 'a.nostr:443', '']) {
      expect(parseAbsoluteForm(target)).to.equal(undefined);
    }
  });

  it('knows this machine by its names', () => {
    const own = ['localhost', 'LOCALHOST', '127.0.0.1', '127.8.9.1', '::1'];
    expect(own.filter(isLoopbackHost)).to.deep.equal(own);
    const others = ['localhost.example', '127.0.0.1.example', '128.0.0.1', '::2', 'a127.0.0.1'];
    expect(others.filter(isLoopbackHost)).to.deep.equal([]);
  });
});
