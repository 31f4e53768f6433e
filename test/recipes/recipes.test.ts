// Every code block of README.md and docs/ is run as it stands, or names the test that does it, or says that it isn't run.

import { existsSync } from 'node:fs';
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

  recipesWith(Object.keys(FIXTURES).filter((name) => !PACKAGES.includes(name)));
});
