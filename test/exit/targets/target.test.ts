// Parsing of --target.

import { expect } from 'chai';
import { authorityOf, parseTarget } from '../../../src/exit/targets/target.js';
import { expectError } from '../../support/expect-error.js';

describe('exit/target', () => {
  const good: [
    text: string,
    kind: string,
    host: string,
    port: number,
    path: string,
    authority: string,
  ][] = [
    ['http://127.0.0.1:3000', 'http', '127.0.0.1', 3000, '', '127.0.0.1:3000'],
    ['http://Web.Example', 'http', 'web.example', 80, '', 'web.example'],
    ['http://web:80/', 'http', 'web', 80, '', 'web'],
    ['http://web:443', 'http', 'web', 443, '', 'web:443'],
    ['https://web', 'https', 'web', 443, '', 'web'],
    ['https://web:80', 'https', 'web', 80, '', 'web:80'],
    ['HTTPS://web:8443/app/', 'https', 'web', 8443, '/app', 'web:8443'],
    ['https://[::1]/a/b', 'https', '::1', 443, '/a/b', '[::1]'],
    ['tcp://[2001:db8::1]:22', 'tcp', '2001:db8::1', 22, '', '[2001:db8::1]:22'],
    ['tcp://db:80', 'tcp', 'db', 80, '', 'db:80'],
    [' tcp://db:5432/ ', 'tcp', 'db', 5432, '', 'db:5432'],
  ];
  for (const [text, kind, host, port, path, authority] of good) {
    it(`reads ${text}`, () => {
      const target = parseTarget(text);
      expect(target).to.deep.equal({ kind, host, port, path });
      expect(authorityOf(target)).to.equal(authority);
    });
  }

  const bad: [text: string, why: RegExp][] = [
    ['', /no scheme/],
    ['127.0.0.1:3000', /no scheme/],
    ['localhost:3000', /no scheme/],
    ['ftp://a', /scheme ftp/],
    ['file:///etc/passwd', /scheme file/],
    ['tcp://db', /no port/],
    ['tcp://[::1]', /no port/],
    ['tcp://db:22/path', /path/],
    ['http://', /not a URL/],
    ['http://a:99999', /not a URL/],
    ['http://a:0', /port 0/],
    ['http://a b', /not a URL/],
    ['http://[::1', /not a URL/],
    ['http://user:hunter2@a', /user name or password/],
    ['http://a/?x=1', /query/],
    ['http://a/#x', /query or fragment/],
  ];
  for (const [text, why] of bad) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      const error = expectError('bad_config', () => parseTarget(text), why);
      expect(error.hint).to.contain('http://127.0.0.1:3000');
      expect(error.line).not.to.contain('hunter2');
    });
  }
});
