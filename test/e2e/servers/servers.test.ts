// Ordinary web servers behind an exit: a hundred requests of all kinds at once, by https and by http, all bytes right.

import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../support/until.js';
import { Site } from '../support/site.js';
import { has } from '../support/tools.js';
import { World } from '../support/world.js';
import * as kinds from './kinds.js';
import * as start from './start.js';

const REQUESTS = 100;
const FILES = [kinds.small, kinds.large, kinds.head, kinds.missing, kinds.byDate];
const RANGES = [kinds.range, kinds.byTag];
const CGI = [kinds.pieces('/cgi-bin/talk.py'), kinds.echo('/cgi-bin/talk.py')];

interface Case {
  readonly name: string;
  readonly tool: readonly [string, ...string[]];
  readonly start: (ground: start.Ground) => Promise<start.WebServer>;
  readonly kinds: readonly kinds.Kind[];
}

const BEHIND = [kinds.behind('/behind'), kinds.webSocket('/behind/')];

const CASES: readonly Case[] = [
  {
    name: "Python's http.server",
    tool: ['python3', '--version'],
    start: (ground) => start.python(ground),
    kinds: FILES,
  },
  {
    name: "Python's http.server with a CGI",
    tool: ['python3', '--version'],
    start: (ground) => start.python(ground, '--cgi'),
    kinds: [...FILES, ...CGI],
  },
  {
    name: 'nginx',
    tool: ['nginx', '-v'],
    start: start.nginx,
    kinds: [...FILES, ...RANGES, ...BEHIND],
  },
  {
    name: 'Apache httpd with CGI and mod_proxy',
    tool: ['apache2', '-v'],
    start: start.apache,
    kinds: [...FILES, ...RANGES, ...CGI, ...BEHIND],
  },
  {
    name: "Go's net/http",
    tool: ['go', 'version'],
    start: start.go,
    kinds: [
      ...[...FILES, kinds.range, kinds.pieces('/pieces')],
      ...[kinds.echo('/echo'), kinds.chunkedEcho('/echo')],
    ],
  },
];

describe('servers behind an exit', function () {
  this.timeout(120_000);
  let folder: string;
  let backend: Site;
  let server: start.WebServer | undefined;
  let world: World | undefined;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nws-servers-'));
    await chmod(folder, 0o755);
    await start.layOut(folder);
    backend = await Site.start();
  });
  afterEach(async () => {
    await world?.close();
    await server?.stop();
    world = undefined;
    server = undefined;
  });
  after(async () => {
    await backend.close();
    await rm(folder, { recursive: true });
  });

  for (const each of CASES) {
    const [tool, ...args] = each.tool;
    if (!has(tool, args)) continue;
    it(`${each.name}: ${REQUESTS} requests at once`, async () => {
      server = await each.start(await start.ground(folder, backend.url));
      world = await World.start({ target: `http://127.0.0.1:${server.port}` });
      const ca = readFileSync(world.proxy.caPath, 'utf8');
      const askers = [new kinds.Asker(world, true, ca), new kinds.Asker(world, false, ca)];
      const asked = Array.from({ length: REQUESTS }, (_, at) =>
        each.kinds[at % each.kinds.length]!(askers[Math.floor(at / each.kinds.length) % 2]!),
      );
      await Promise.all(asked);
      const { proxy } = world;
      await until(() => proxy.connections === 0);
    });
  }
});
