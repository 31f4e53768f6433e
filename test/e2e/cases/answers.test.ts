// Answers as servers write them (cases 1 to 11): a raw origin behind a real exit, curl in front.

import { expect } from 'chai';
import { until } from '../../support/until.js';
import { CaseWorld } from './world.js';

const OK = 'HTTP/1.1 200 OK\r\n';
const FIELDS = Array.from({ length: 60 }, (_, at) => `X-${at}: ${'x'.repeat(1_000)}\r\n`).join('');

/** Name, the origin's bytes, the status and the body that the client gets. */
const CASES: [name: string, bytes: string, status: string, body: string, args?: string[]][] = [
  ['2: 304 with a length', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', '304', ''],
  ['2: 204 with a length', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', '204', ''],
  ['2: HEAD with a length', `${OK}Content-Length: 5\r\n\r\n`, '200', '', ['-I', '-o', '/dev/null']],
  [
    '3: an unasked 100',
    `HTTP/1.1 100 Continue\r\n\r\n${OK}Content-Length: 2\r\n\r\nok`,
    '200',
    'ok',
  ],
  [
    '3: an unasked 100 to a POST',
    `HTTP/1.1 100 Continue\r\n\r\n${OK}Content-Length: 2\r\n\r\nok`,
    '200',
    'ok',
    ['-d', 'x'],
  ],
  [
    '5: chunk sizes with blanks',
    `${OK}Transfer-Encoding: chunked\r\n\r\n2   \r\nok\r\n0\r\n\r\n`,
    '200',
    'ok',
  ],
  ['6: bare line feeds', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok', '200', 'ok'],
  ['7: a folded field', `${OK}X: a;\r\n b\r\nContent-Length: 2\r\n\r\nok`, '200', 'ok'],
  [
    '8: a length beside chunks',
    `${OK}Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
    '200',
    'ok',
  ],
  [
    '8: a length beside chunks to HEAD',
    `${OK}Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n`,
    '200',
    '',
    ['-I', '-o', '/dev/null'],
  ],
  ['8: a length twice', `${OK}Content-Length: 2\r\nContent-Length: 2\r\n\r\nok`, '200', 'ok'],
  ['8: a length as a list', `${OK}Content-Length: 2, 2\r\n\r\nok`, '200', 'ok'],
  ['8: two lengths', `${OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nok`, '502', '*'],
  ['9: a control byte', `${OK}Set-Cookie: a\x01b\r\nContent-Length: 2\r\n\r\nok`, '200', 'ok'],
  ['10: a head of 60 KB', `${OK}${FIELDS}Content-Length: 2\r\n\r\nok`, '200', 'ok'],
  [
    '10: a head of 180 KB',
    `${OK}${FIELDS}${FIELDS}${FIELDS}Content-Length: 2\r\n\r\nok`,
    '502',
    '*',
  ],
  [
    '11: gzip as a transfer coding',
    `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
    '502',
    '*',
  ],
  [
    '19: 1,100 fields in front of the length',
    `${OK}${'A: b\r\n'.repeat(1_100)}Content-Length: 3\r\n\r\nyes`,
    '200',
    'yes',
  ],
  ['a blank before a colon', `${OK}X : b\r\nContent-Length: 2\r\n\r\nok`, '200', 'ok'],
  ['bytes that are no HTTP', 'SSH-2.0-OpenSSH\r\n', '502', '*'],
];

describe('answers as servers write them, at the client', function () {
  this.timeout(60_000);
  let cases: CaseWorld;
  before(async () => {
    cases = await CaseWorld.start();
  });
  after(() => cases.close());

  for (const [name, bytes, status, body, args = []] of CASES) {
    for (const way of ['https', 'http'] as const) {
      it(`${name}, by ${way}`, async () => {
        cases.answer(bytes);
        const { world } = cases;
        const got = await world.curl(...args, '-w', '|%{http_code}', world[way]('/'));
        expect(got.stderr).to.equal('');
        const at = got.stdout.lastIndexOf('|');
        expect(got.stdout.slice(at + 1)).to.equal(status);
        if (body === '*') expect(got.stdout).to.match(/^nws: /);
        else expect(got.stdout.slice(0, at)).to.equal(body);
        if (status !== '502') expect(cases.heads).to.have.length(1);
      });
    }
  }

  for (const limit of ['10G', '1M']) {
    for (const size of [0, 1, 100_000, 1_000_000]) {
      it(`1: ${size} bytes without a length, read at ${limit} a second`, async () => {
        cases.answer(`HTTP/1.0 200 OK\r\n\r\n${'y'.repeat(size)}`, true);
        const { world } = cases;
        const got = await world.curl('--limit-rate', limit, world.https('/'));
        expect([got.status, got.stdout.length]).to.deep.equal([0, size]);
      });
    }
  }

  it('4: early hints come before the answer', async () => {
    cases.answer(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}Content-Length: 2\r\n\r\nok`);
    for (const way of ['https', 'http'] as const) {
      const { stdout } = await cases.world.curl(
        '-i',
        '--suppress-connect-headers',
        cases.world[way]('/'),
      );
      expect(stdout).to.match(
        /^HTTP\/1\.1 103 [\s\S]*Link: <\/a>\r\n\r\nHTTP\/1\.1 200 OK[\s\S]*ok$/,
      );
    }
    const old = await cases.world.curl('-i', '--http1.0', cases.world.http('/'));
    expect(old.stdout).to.match(/^HTTP\/1\.1 200 OK/);
  });

  it('an answer that is reset in the middle never looks whole', async () => {
    for (const head of [OK, `${OK}Content-Length: 9\r\n`, `${OK}Transfer-Encoding: chunked\r\n`]) {
      cases.onRequest = (socket) => {
        socket.write(`${head}\r\n5\r\nab`);
        setTimeout(() => socket.resetAndDestroy(), 50);
      };
      for (const way of ['https', 'http'] as const) {
        const got = await cases.world.curl(cases.world[way]('/'));
        expect(got.status, head).not.to.equal(0);
      }
    }
  });

  it('leaves no stream behind', async () => {
    await cases.world.quiet();
    await until(() => cases.origin.sockets.size <= 32);
  });
});
