// Runs test files side by side, the slow ones first; each worker process runs one file at a time.
// Usage: main.ts [--unit] [--jobs N] [--record] [FILE or FOLDER …]

import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isUnit } from './layers.js';
import { Report } from './report.js';
import { WorkerProcess } from './worker-process.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** How long files took when somebody last asked to `--record` it, in seconds: which ones to begin with. */
const DURATIONS = new URL('./durations.json', import.meta.url);
const PROGRAM = join(ROOT, 'dist/main.js');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    unit: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    // Tests wait more than they compute, so more of them than processors fit side by side.
    jobs: { type: 'string', default: String(availableParallelism() + 1) },
  },
});

function filesBelow(path: string): string[] {
  if (statSync(path).isFile()) return [relative(ROOT, path)];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => relative(ROOT, join(path, name)));
}

function filesToRun(): string[] {
  const roots = positionals.length > 0 ? positionals : ['test'];
  const files = [...new Set(roots.flatMap((root) => filesBelow(join(ROOT, root))))];
  const chosen = values.unit ? files.filter((file) => isUnit(file)) : files;
  const seconds: Record<string, number> = JSON.parse(readFileSync(DURATIONS, 'utf8'));
  return chosen.sort((a, b) => (seconds[b] ?? 0) - (seconds[a] ?? 0) || a.localeCompare(b));
}

process.chdir(ROOT);
const queue = filesToRun();
const report = new Report(process.stdout);
const env = {
  ...process.env,
  // Processes under test start from the bundle, where it has been built: in a tenth of the time.
  ...(existsSync(PROGRAM) && { NWS_TEST_PROGRAM: PROGRAM }),
};
const workers = Array.from({ length: Math.min(Number(values.jobs), queue.length) }, async () => {
  const worker = new WorkerProcess({ env });
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    report.add(await worker.run(file));
  }
  worker.close();
});
await Promise.all(workers);
if (values.record) writeFileSync(DURATIONS, `${JSON.stringify(report.seconds(2), null, 2)}\n`);
process.exitCode = report.close() ? 0 : 1;
