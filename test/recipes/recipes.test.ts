// Every code block of README.md and docs/ is run as it stands, or names the test that does it, or says that it isn't run.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { blocksOf, documents } from './blocks.js';
import { FIXTURES, PACKAGES } from './fixtures.js';
import { recipesWith } from './suite.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

describe('recipes', function () {
  this.timeout(120_000);

  it('each have a mark that says how they are held', () => {
    const blocks = documents().flatMap(blocksOf);
    const bare = blocks.filter(({ kind }) => kind === undefined);
    expect(
      bare.map(({ at }) => at),
      'see test/recipes/blocks.ts for marks',
    ).to.deep.equal([]);
    for (const { at, kind, what, section } of blocks) {
      if (kind === 'run' || kind === 'stays') expect(FIXTURES, at).to.include.keys(what);
      else if (kind === 'test') expect(existsSync(ROOT + what), `${at}: ${what}`).to.equal(true);
      else expect(section, at).to.match(/not run by a test/i);
    }
  });

  it('stand in documents whose links lead somewhere', () => {
    const links = documents().flatMap((name) => {
      const text = readFileSync(ROOT + name, 'utf8');
      return [...text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, to]) =>
        join(dirname(name), to!),
      );
    });
    expect(links).to.have.length.greaterThan(20);
    expect(links.filter((path) => !existsSync(ROOT + path))).to.deep.equal([]);
  });

  it('stand in documents that the README lists', () => {
    const readme = readFileSync(`${ROOT}README.md`, 'utf8');
    const missing = documents().filter(
      (name) => name !== 'README.md' && !readme.includes(`(${name})`),
    );
    expect(missing).to.deep.equal([]);
  });

  recipesWith(Object.keys(FIXTURES).filter((name) => !PACKAGES.includes(name)));
});
