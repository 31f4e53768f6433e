// Header lists on their way through.

import { expect } from 'chai';
import fc from 'fast-check';
import { endToEnd, replaceHeaders, responseHead, values } from '../../src/http/headers.js';

describe('http/headers', () => {
  it('keeps order, case and repeated fields', () => {
    const raw = ['Set-Cookie', 'a=1', 'X-Odd-CASE', 'v', 'set-cookie', 'b=2', 'Set-Cookie', 'c=3'];
    expect(endToEnd(raw)).to.deep.equal(raw);
  });

  it('removes the fields of one connection', () => {
    const hopByHop = ['Connection', 'Keep-Alive', 'Proxy-Connection', 'Proxy-Authorization'];
    hopByHop.push('Proxy-Authenticate', 'TE', 'Transfer-Encoding', 'Upgrade', 'Trailer', 'Expect');
    for (const name of hopByHop) {
      expect(endToEnd([name, 'x', 'Accept', '*/*']), name).to.deep.equal(['Accept', '*/*']);
    }
  });

  it('removes what Connection names, over several fields and in any case', () => {
    const raw = ['connection', 'close, X-Private', 'CONNECTION', 'x-other', 'X-PRIVATE', '1'];
    expect(endToEnd([...raw, 'X-Other', '2', 'X-Kept', '3'])).to.deep.equal(['X-Kept', '3']);
  });

  it('does not let Connection take framing or routing away', () => {
    const raw = ['Host', 'a', 'Content-Length', '5'];
    expect(endToEnd([...raw, 'Connection', 'host, content-length'])).to.deep.equal(raw);
  });

  it('keeps TE for trailers alone', () => {
    expect(endToEnd(['TE', 'gzip, trailers'])).to.deep.equal(['TE', 'trailers']);
    expect(endToEnd(['TE', 'gzip'])).to.deep.equal([]);
  });

  it('never passes on two framings', () => {
    const raw = ['Content-Length', '5', 'transfer-encoding', 'chunked', 'Accept', '*/*'];
    expect(endToEnd(raw)).to.deep.equal(['Accept', '*/*']);
  });

  it('lets Proxy-Status travel, as RFC 9209 wants', () => {
    const raw = ['Proxy-Status', 'nws; error=connection_refused'];
    expect(endToEnd(raw)).to.deep.equal(raw);
  });

  it('replaces every former value of a field, and drops those without a new one', () => {
    const raw = [
      'x-forwarded-for',
      '1.1.1.1',
      'A',
      'b',
      'X-Forwarded-For',
      '2.2.2.2',
      'Forwarded',
      'f',
    ];
    const replaced = replaceHeaders(raw, { 'X-Forwarded-For': 'unknown', Forwarded: undefined });
    expect(replaced).to.deep.equal(['A', 'b', 'X-Forwarded-For', 'unknown']);
  });

  it('makes pairs of pairs, and adds nothing, whatever comes', () => {
    const pairs = fc.array(fc.tuple(fc.string(), fc.string()));
    fc.assert(
      fc.property(pairs, (list) => {
        const raw = list.flat();
        const kept = endToEnd(raw);
        expect(kept.length % 2).to.equal(0);
        for (let index = 0; index < kept.length; index += 2) {
          expect(values(raw, kept[index]!.toLowerCase())).to.include(kept[index + 1]);
        }
      }),
    );
  });

  it('writes a response head', () => {
    const head = responseHead(101, ['Upgrade', 'websocket', 'A', '1']);
    expect(head).to.equal('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nA: 1\r\n\r\n');
  });
});
