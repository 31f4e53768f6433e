// The metrics: that their names follow Prometheus' conventions, that they agree with the counters, and that nobody can
// make labels without end.

import { expect } from 'chai';
import { NwsError } from '../../src/errors.js';
import { RelayLedger } from '../../src/relay/counts.js';
import { metricsOf } from '../../src/status/metrics.js';
import { subject } from '../support/subject.js';
import { readMetrics } from './read-metrics.js';
import { FakeStream } from './streams.js';

describe('status/metrics', () => {
  it('have names, helps and types by convention', async () => {
    const { type, body } = await metricsOf(subject({ connections: () => 3 }));
    expect(type).to.match(/^text\/plain; version=0\.0\.4/);
    const families = [...body.matchAll(/^# HELP (\S+) (.+)\n# TYPE \1 (\w+)$/gm)];
    expect(families.length).to.be.greaterThan(20);
    for (const [, name = '', help, kind] of families) {
      expect(name).to.match(/^nws_[a-z_]+$/);
      expect(name.endsWith('_total'), name).to.equal(kind === 'counter');
      expect(name).to.not.match(/_(ms|milliseconds|minutes|kilobytes|kb|mb|percent)(_|$)/);
      expect(help).to.match(/^[A-Z].*\.$/);
    }
    const named = new Set(families.map(([, name]) => name));
    for (const { name } of readMetrics(body)) expect(named.has(name), name).to.equal(true);
    // A sum without its label would be another series than those that follow.
    expect(body).to.not.match(/^nws_(errors|streams_refused|streams_failed)_total/m);
  });

  it('agree with the account of streams, up to this moment', async () => {
    const watched = subject();
    const { accounts } = watched;
    const [ended, open] = [new FakeStream(100, 10), new FakeStream(200, 20)];
    const facts = { peer: 'a'.repeat(64), destination: 'x.nostr:443' };
    accounts.opened(facts, ended);
    accounts.opened({ ...facts, way: 'reverse' }, open);
    await ended.close(new NwsError('exit_unreachable', 'gone'));
    accounts.refused(facts, new NwsError('connection_refused', 'no'));
    accounts.failures.note(new NwsError('bad_name', 'what?'), 'x');
    open.carry(1, 2);
    const { body } = await metricsOf(watched);
    const value = (name: string, labels: Record<string, string>): number | undefined =>
      readMetrics(body).find(
        (one) =>
          one.name === name &&
          Object.entries(labels).every(([label, text]) => one.labels[label] === text),
      )?.value;
    expect(value('nws_stream_bytes_total', { way: 'relay', direction: 'up' })).to.equal(10);
    expect(value('nws_stream_bytes_total', { way: 'relay', direction: 'down' })).to.equal(100);
    expect(value('nws_stream_bytes_total', { way: 'reverse', direction: 'up' })).to.equal(22);
    expect(value('nws_stream_bytes_total', { way: 'reverse', direction: 'down' })).to.equal(201);
    expect(value('nws_streams_open', { way: 'relay' })).to.equal(0);
    expect(value('nws_streams_open', { way: 'reverse' })).to.equal(1);
    expect(value('nws_streams_failed_total', { code: 'exit_unreachable' })).to.equal(1);
    expect(value('nws_streams_refused_total', { code: 'connection_refused' })).to.equal(1);
    expect(value('nws_errors_total', { code: 'bad_name' })).to.equal(1);
    expect(value('nws_ready', {})).to.equal(1);
  });

  it('count relays beyond a bound together', async () => {
    const ledger = new RelayLedger(2);
    for (const name of ['a', 'b', 'c', 'd']) ledger.of(`wss://${name}.example`).eventsSent += 1;
    const { body } = await metricsOf(subject({ pool: { links: () => [], ledger } }));
    const sent = readMetrics(body).filter(({ name }) => name === 'nws_relay_sent_events_total');
    expect(sent.map(({ labels, value }) => [labels.relay, value])).to.deep.equal([
      ['wss://a.example', 1],
      ['wss://b.example', 1],
      ['other', 2],
    ]);
  });

  it('write labels so that nobody can write metrics by them', async () => {
    const ledger = new RelayLedger();
    ledger.of('ws://x/"} 1\nnws_forged 1').eventsSent += 1;
    const { body } = await metricsOf(subject({ pool: { links: () => [], ledger } }));
    expect(body).to.not.match(/^nws_forged/m);
  });
});
