// All metrics that there are, with their labels, as a program exports them in which everything has happened once.

import { NwsError } from '../../src/errors.js';
import { RelayLedger } from '../../src/relay/counts.js';
import { metricsOf } from '../../src/status/metrics.js';
import { subject } from '../support/subject.js';
import { FakeStream } from './streams.js';

/** Names of labels by metric. */
export async function exportedMetrics(): Promise<Map<string, Set<string>>> {
  const exported = new Map<string, Set<string>>();
  const { body } = await metricsOf(await eventful());
  for (const [, name = '', labels = ''] of body.matchAll(/^(nws_\w+)(?:\{(.*)\})? /gm)) {
    const names = [...labels.matchAll(/(\w+)="/g)].map(([, label]) => label!);
    exported.set(name, new Set([...(exported.get(name) ?? []), ...names]));
  }
  return exported;
}

async function eventful(): Promise<ReturnType<typeof subject>> {
  const ledger = new RelayLedger();
  ledger.of('wss://a.example').refused('no');
  const link = { url: 'wss://a.example', isUp: true, okLatencyMs: 3, eventLimitBytes: 1 };
  const links = () => [{ ...link, unconfirmedBytes: 0 }] as never;
  const watched = subject({ pool: { links, ledger }, connections: () => 1 });
  const facts = { peer: 'a'.repeat(64), destination: 'x.nostr:1' };
  const error = new NwsError('exit_unreachable', 'gone');
  const stream = new FakeStream();
  watched.accounts.opened(facts, stream);
  watched.accounts.refused(facts, error);
  watched.accounts.failures.note(error, 'x');
  await stream.close(error);
  return watched;
}
