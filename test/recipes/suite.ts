// Runs the recipes of some fixtures, in a ground of their own.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type Block, blocksOf, documents } from './blocks.js';
import { FIXTURES, type Fixture } from './fixtures.js';
import { ended, Ground, type Service } from './ground.js';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** Defines the tests. */
export function recipesWith(names: readonly string[]): void {
  const blocks = documents().flatMap(blocksOf);
  let ground: Ground;

  before(async () => {
    if (!existsSync(MAIN)) throw new Error('dist/ is missing: npm run build');
    ground = await Ground.start();
  });
  after(() => ground.close());

  for (const name of names) {
    const fixture = FIXTURES[name]!;
    const own = blocks.filter(
      ({ kind, what }) => /^(run|stays)$/.test(kind ?? '') && what === name,
    );
    describe(`with ${name}`, () => {
      let service: Service;
      let domain: string;

      before(async function () {
        const missing = fixture.needs.find((command) => !succeeds(command, ground.env));
        if (missing !== undefined) {
          console.log(`    (${name}: "${missing}" fails here: its recipes are left out)`);
          return this.skip();
        }
        service = await fixture.start(join(ground.folder, name), ground);
        domain = await ground.exitFor(service);
      });
      after(() => service?.stop?.());

      for (const block of own) {
        it(`${block.at}`, () =>
          block.kind === 'run' ? runs(block, fixture) : stays(block, fixture));
      }

      async function runs(block: Block, { prepare }: Fixture): Promise<void> {
        const cwd = await mkdtemp(join(ground.folder, 'work-'));
        prepare?.(cwd);
        const { status, stdout } = await ground.run(codeOf(block, fixture), cwd, domain);
        expect({ status, stdout }, stdout).to.include({ status: 0 });
        expect(stdout).to.match(block.shows);
      }

      async function stays(block: Block, { prepare }: Fixture): Promise<void> {
        const cwd = await mkdtemp(join(ground.folder, 'work-'));
        prepare?.(cwd);
        const child = ground.spawn(codeOf(block, fixture), cwd, domain);
        let said = '';
        const over = once(child, 'exit').then(() => expect.fail(`it has ended: ${said}`));
        over.catch(() => undefined);
        while (!block.shows.test(said)) {
          const [chunk] = await Promise.race([once(child.stdout!, 'data'), over]);
          said += chunk;
        }
        await ended(child);
      }
    });
  }
}

function codeOf({ code }: Block, { replace = {} }: Fixture): string {
  return Object.entries(replace).reduce((text, [from, to]) => text.replaceAll(from, to), code);
}

function succeeds(command: string, env: NodeJS.ProcessEnv): boolean {
  try {
    execFileSync('sh', ['-c', command], { env, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
