// NODE_OPTIONS of the command: what was there stays, and Node itself reads what is added.

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeOptions, withPreload } from '../../../src/cli/run/node-options.js';
import { useTempFolder } from '../harness.js';

describe('nws run: NODE_OPTIONS', () => {
  const folder = useTempFolder();

  it('keeps what the user has there, in front', () => {
    expect(withPreload(undefined, '/a/b.cjs')).to.equal('--require /a/b.cjs');
    expect(withPreload(' ', '/a/b.cjs')).to.equal('--require /a/b.cjs');
    const given = '--max-old-space-size=100 --require "./x y.cjs"';
    expect(withPreload(given, '/a/b.cjs')).to.equal(`${given} --require /a/b.cjs`);
  });

  it('is the same inside of another nws run', () => {
    const once = nodeOptions('--no-warnings');
    expect(once).to.match(/^--no-warnings --require \S+fetch-preload\.cjs$/);
    expect(nodeOptions(once)).to.equal(once);
  });

  for (const name of ['plain', 'with blanks', 'with "quotes"', 'with \\ backslash', "it's"]) {
    it(`names a file that Node finds: ${name}`, () => {
      mkdirSync(join(folder.path, name));
      const path = join(folder.path, name, 'preload.cjs');
      writeFileSync(path, 'globalThis.loaded = true;');
      const env = { PATH: process.env.PATH, NODE_OPTIONS: withPreload('--no-warnings', path) };
      const said = execFileSync(process.execPath, ['-p', 'loaded'], { env, encoding: 'utf8' });
      expect(said).to.equal('true\n');
    });
  }
});
