// What a seed thinks of: networks from good to dreadful, several streams, readers that dawdle, clients that
// leave, peers that are restarted.

import type { StreamPlan } from '../application.js';
import { type Random, random } from '../random.js';
import type { Scenario } from './simulator.js';

/** Within these bounds every transfer has to arrive whole; beyond, it may end with an error instead. */
export function isMild({ network, streams, restarts }: Scenario): boolean {
  const { loss, delayMs, jitterMs, outages } = network;
  return (
    restarts.length === 0 &&
    outages.length === 0 &&
    loss <= 0.1 &&
    delayMs + jitterMs < 1_000 &&
    streams.every(({ abortMs }) => abortMs === undefined)
  );
}

export function scenarioOf(seed: number): Scenario {
  const pick = random(seed ^ 0x5eed);
  const isSlow = pick.chance(0.15);
  const scenario: Scenario = {
    network: {
      loss: pick.chance(0.3) ? 0 : pick.next() * 0.3,
      repetition: pick.chance(0.3) ? 0 : pick.next() * 0.3,
      refusal: pick.chance(0.7) ? 0 : pick.next() * 0.2,
      delayMs: isSlow ? 500 + pick.integer(4_500) : 1 + pick.integer(200),
      jitterMs: pick.chance(0.3) ? 0 : pick.integer(800),
      batchMs: pick.chance(0.4) ? 100 : 0,
      outages: pick.chance(0.2) ? [outage(pick)] : [],
      eventBytes: [1_500, 8_000, 40_960][pick.integer(3)]!,
    },
    streams: Array.from({ length: 1 + pick.integer(4) }, () => plan(pick)),
    restarts: pick.chance(0.15)
      ? [{ who: pick.chance(0.5) ? 'exit' : 'entry', atMs: 200 + pick.integer(4_000) }]
      : [],
    versions: { entry: version(pick), exit: version(pick) },
  };
  const suggested = pick.chance(0.5) ? version(pick) : undefined;
  return { ...scenario, suggested };
}

/** Mostly ours, else that of the release before it. */
function version(pick: Random): number {
  return pick.chance(0.7) ? 2 : 1;
}

function outage(pick: Random): { fromMs: number; toMs: number } {
  const fromMs = pick.integer(4_000);
  return { fromMs, toMs: fromMs + pick.integer(30_000) };
}

function plan(pick: Random): StreamPlan {
  const bytes = (): number => (pick.chance(0.5) ? pick.integer(100) : pick.integer(80_000));
  const startMs = pick.chance(0.5) ? 0 : pick.integer(2_000);
  return {
    startMs,
    upBytes: bytes(),
    downBytes: bytes(),
    readBytes: pick.chance(0.2) ? 10_000 : 1_000_000,
    readPauseMs: pick.chance(0.2) ? 200 : 30,
    abortMs: pick.chance(0.1) ? startMs + pick.integer(3_000) : undefined,
  };
}
