// What signatures and shared points cost, by machine code and by WebAssembly.

import { randomBytes } from 'node:crypto';
import type { Curve } from '../../../src/secp256k1/curve.js';
import { loadCurve, loadWasm } from '../../../src/secp256k1/secp256k1.js';
import type { Row } from '../report/table.js';

export function measureCurves(rounds: number, calls: number): Row[] {
  const { curve } = loadCurve();
  const kinds = curve.name === 'native' ? [curve, loadWasm()] : [curve];
  const steps = kinds.map(stepsOf);
  const names = Object.keys(steps[0]!) as (keyof Steps)[];
  for (const kind of steps) for (const name of names) timed(kind[name], calls); // warms up
  const values = kinds.map(() => new Map(names.map((name) => [name, [] as number[]])));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) {
      steps.forEach((kind, at) => void values[at]!.get(name)!.push(timed(kind[name], calls)));
    }
  }
  const slow = values.at(-1)!;
  return names.flatMap((name) =>
    kinds.map(({ name: kind }, at) => {
      const own = values[at]!.get(name)!;
      const ratios = { WebAssembly: own.map((value, round) => value / slow.get(name)![round]!) };
      const compared = kind === 'wasm' ? {} : { ratios };
      return { relay: '–', what: `${name}, ${kind}`, unit: 'µs', values: own, ...compared };
    }),
  );
}

interface Steps {
  readonly verify: () => unknown;
  readonly sign: () => unknown;
  readonly 'shared point': () => unknown;
}

function stepsOf(curve: Curve): Steps {
  const [secret, message, auxiliary] = [randomBytes(32), randomBytes(32), randomBytes(32)];
  const { pubkey, sign } = curve.signingKey(secret);
  const signature = sign(message, auxiliary);
  return {
    verify: () => curve.verify(message, pubkey, signature),
    sign: () => sign(message, auxiliary),
    'shared point': () => curve.sharedX(secret, pubkey),
  };
}

/** Microseconds of CPU a call. */
function timed(step: () => unknown, calls: number): number {
  const before = process.cpuUsage();
  for (let call = 0; call < calls; call += 1) step();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}
