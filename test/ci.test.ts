// The steps for CI services in scripts/ci: the script runs, and the services' files call it as it wants to be called.

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Site } from './e2e/support/site.js';
import { outputOf, tool } from './e2e/support/tools.js';
import { World } from './e2e/support/world.js';

const FOLDER = fileURLToPath(new URL('../scripts/ci/', import.meta.url));

describe('steps for CI services', function () {
  this.timeout(60_000);

  it('fetch by name, with the status that curl has', async () => {
    if (!existsSync(`${FOLDER}../../dist/main.js`)) throw new Error('npm run build');
    const site = await Site.start();
    const world = await World.start({ target: site.url });
    const step = (path: string): ReturnType<typeof outputOf> => {
      const set = [`NWS_HOME=${world.home}`, `NWS_NAME=${world.exit.domain}`, `NWS_PATH=${path}`];
      return outputOf(tool('env', [...set, `${FOLDER}fetch-by-name`]));
    };
    expect(await step('/health')).to.include({ status: 0, stdout: 'GET /health\n' });
    expect(await step('/missing')).to.include({ status: 22 });
    await world.close();
    await site.close();
  });

  it('say what is missing where no name is given', async () => {
    const { status, stderr } = await outputOf(tool('env', [`${FOLDER}fetch-by-name`]));
    expect(status).to.not.equal(0);
    expect(stderr).to.match(/set NWS_NAME to the \.nostr name/);
  });

  for (const file of ['github-actions.yml', 'gitlab-ci.yml']) {
    it(`${file} calls the script with its variables`, () => {
      const text = readFileSync(FOLDER + file, 'utf8');
      expect(text)
        .to.match(/\.\/scripts\/ci\/fetch-by-name$/m)
        .and.match(/^\s+NWS_PATH: \/health$/m);
      expect(text).to.not.match(/\t/);
    });
  }
});
