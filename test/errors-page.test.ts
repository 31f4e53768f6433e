// docs/errors.md against the codes that there are.

import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { isErrorCode, NwsError } from '../src/errors.js';

const page = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8');
const source = readFileSync(new URL('../src/errors.ts', import.meta.url), 'utf8');

describe('the page of errors', () => {
  const rows = [...page.matchAll(/^\| `(\w+)`(?:<br>\((\w+)\))? \| (\d+) \| (.+) \| (.+) \|$/gm)];

  it('has each code once', () => {
    const codes = [...source.matchAll(/^ {2}(\w+): \{ status: /gm)].map(([, code]) => code!);
    expect(codes).to.have.length.greaterThan(20);
    expect(rows.map(([, code]) => code)).to.have.members(codes);
  });

  it('says what clients are told', () => {
    for (const [, code, type = code, status] of rows) {
      if (!isErrorCode(code)) throw new Error(`${code} is no code`);
      const error = new NwsError(code, 'x');
      expect({ type, status: Number(status) }, code).to.deep.equal({
        type: error.proxyError,
        status: error.status,
      });
    }
  });
});
