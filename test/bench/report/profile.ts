// Where a process spent its time, by the functions that spent it themselves.

import type { Profiler } from 'node:inspector';

const MOST_NAMED = 14;
const IDLE = '(idle)';

export interface Profiled {
  /** What was done meanwhile. */
  readonly what: string;
  /** By the name of the process. */
  readonly profiles: Readonly<Record<string, Profiler.Profile>>;
}

export function profilesOf(profiled: readonly Profiled[]): string {
  return profiled
    .map(({ what, profiles }) => {
      const lines = Object.entries(profiles).map(([name, profile]) => lineOf(name, profile));
      return `## Where the time of a ${what} goes\n\n${lines.join('\n')}`;
    })
    .join('\n\n');
}

function lineOf(name: string, { nodes, samples = [], timeDeltas = [] }: Profiler.Profile): string {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const spent = new Map<string, number>();
  for (const [at, id] of samples.entries()) {
    const key = names.get(id)!;
    spent.set(key, (spent.get(key) ?? 0) + timeDeltas[at]!);
  }
  spent.delete(IDLE);
  const sum = [...spent.values()].reduce((left, right) => left + right, 0);
  const most = [...spent].sort(([, left], [, right]) => right - left).slice(0, MOST_NAMED);
  const shares = most.map(([key, time]) => `${key} ${Math.round((100 * time) / sum)} %`);
  return `- ${name}, ${(sum / 1e6).toFixed(2)} s of work: ${shares.join(', ')}`;
}

/** V8 names what isn't JavaScript in parentheses, and takes one function of an addon for another. */
function nameOf({ functionName, url }: Profiler.Profile['nodes'][number]['callFrame']): string {
  if (url === '' && CURVE.test(functionName)) return '(secp256k1)';
  if (functionName === '') return '(unnamed)';
  return url.startsWith('node:') ? `${functionName} of Node` : functionName;
}
const CURVE = /^$|^(publicKey|privateKey|signature|ecdsa|Secp256k1)/;
