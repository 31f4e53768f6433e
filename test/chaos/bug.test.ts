// A mistake of ours, made on purpose in a running exit: it says where, its peers know at once, and it leaves with 70.

import { expect } from 'chai';
import { Site } from '../e2e/support/site.js';
import { Processes } from './support/processes.js';

/** Makes a process throw where nothing catches it, by SIGUSR2. */
const MISTAKE = `data:text/javascript,${encodeURIComponent(
  'process.on("SIGUSR2", function mistake() { throw new TypeError("on purpose"); });',
)}`;

describe('a mistake that nothing catches', function () {
  this.timeout(30_000);
  let site: Site;
  let processes: Processes;

  beforeEach(async () => {
    site = await Site.start();
    processes = await Processes.create();
  });
  afterEach(async () => {
    await processes.close();
    await site.close();
  });

  it('ends streams on both sides, is in the log with its stack, and gives 70', async () => {
    const relay = await processes.anyRelay();
    processes.env = { NODE_OPTIONS: `--import ${MISTAKE}` };
    await processes.serve(site.url.replace('http:', 'tcp:'), relay);
    const client = await processes.connect();
    const closed = new Promise((resolve) => client.once('close', resolve));
    processes.exit.signal('SIGUSR2');
    await closed; // long before anybody asks a silent peer whether it is there
    expect(await processes.exit.end('SIGKILL')).to.equal(70);
    const [line] = processes.exit.warnings('on purpose');
    expect(line).to.include({ level: 50 });
    expect(JSON.stringify(line)).to.include('TypeError: on purpose').and.include('mistake');
  });
});
