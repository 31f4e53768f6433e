// Who may read the pages: no other name of this machine, and no web page of another origin.

import { expect } from 'chai';
import { isLoopbackAuthority, refusalOfOrigin } from '../../src/status/serving/guard.js';

const HOST = '127.0.0.1:8882';

describe('status/guard', () => {
  it('knows the names of this machine for itself, and no others', () => {
    for (const authority of ['localhost', 'LOCALHOST:1', HOST, '127.9.9.9', '[::1]:8882']) {
      expect(isLoopbackAuthority(authority), authority).to.equal(true);
    }
    const others = [
      'evil.example',
      'localhost.evil.example',
      '10.0.0.1:8882',
      '127.0.0.1.evil',
      '',
    ];
    for (const authority of [...others, '127.0.0.1:99999', '::1', 'a b', '@127.0.0.1']) {
      expect(isLoopbackAuthority(authority), authority).to.equal(false);
    }
  });

  const judge = (headers: Record<string, string>): string | undefined =>
    refusalOfOrigin({ headers }, HOST)?.code;

  it('lets programs in, the page itself, and whoever types the address or follows a link', () => {
    expect(judge({})).to.equal(undefined);
    expect(judge({ origin: `http://${HOST}`, 'sec-fetch-site': 'same-origin' })).to.equal(
      undefined,
    );
    expect(judge({ 'sec-fetch-site': 'none' })).to.equal(undefined);
    const visit = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    expect(judge({ 'sec-fetch-site': 'cross-site', ...visit })).to.equal(undefined);
  });

  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://127.0.0.1:3000' },
    { origin: `https://${HOST}` },
    { origin: `http://${HOST}.evil.example` },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
    { origin: `http://${HOST}`, 'sec-fetch-site': 'cross-site' },
  ]) {
    it(`refuses ${JSON.stringify(headers)}`, () => {
      expect(judge(headers)).to.equal('http_request_denied');
    });
  }
});
