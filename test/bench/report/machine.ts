// Where and with what a run was made: figures of another machine are no measure.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';

const ROOT = new URL('../../../', import.meta.url);

export function machine(): readonly string[] {
  const { version } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'));
  const [model = { model: 'unknown' }] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return [
    `nws ${version}, ${commit()}`,
    `Node ${process.versions.node}, OpenSSL ${process.versions.openssl}, ${platform()} ${release().split('-')[0]} ${process.arch}`,
    `${model.model.trim() || 'CPU of an unknown kind'}, ${availableParallelism()} cores, ${memory} GB; load before the run ${loadavg()[0]!.toFixed(1)}`,
  ];
}

function commit(): string {
  try {
    const git = (...argv: string[]): string =>
      execFileSync('git', argv, { cwd: ROOT, encoding: 'utf8' }).trim();
    const changed = git('status', '--porcelain', '--', 'src') === '' ? '' : ' with changes';
    return `commit ${git('rev-parse', '--short', 'HEAD')}${changed}`;
  } catch {
    return 'not in a git repository';
  }
}
