// The metrics, in Prometheus' text format: names by its conventions, in base units. No label is a stranger's to
// choose without a bound: relays beyond the ledger's are `other`.

import type { Counter, Gauge, Registry } from 'prom-client';
import { relaysOf, type Subject, summaryOf } from './state/watch.js';

type Labels = Readonly<Record<string, string>>;
type Values = readonly (readonly [Labels, number | undefined])[];

export interface Metrics {
  readonly type: string;
  readonly body: string;
}

/** Reads them all. The package that writes them is loaded for the first reader. */
export async function metricsOf(subject: Subject): Promise<Metrics> {
  // The default is all of it, bundled or not.
  const { default: prom } = await import('prom-client');
  const registry = new prom.Registry();
  const page = new MetricsPage(registry, prom);
  describeProcess(page, subject);
  describeStreams(page, subject);
  describeRelays(page, subject);
  return { type: registry.contentType, body: await registry.metrics() };
}

function describeProcess(page: MetricsPage, subject: Subject): void {
  const { version, role, ready, startedAt, connections, pinsKnown } = summaryOf(subject);
  const { user, system } = process.cpuUsage();
  page.gauge('nws_build_info', 'What runs here; always 1.', [[{ version, role }, 1]]);
  page.gauge('nws_ready', 'Whether requests can be served: a relay is up.', one(ready ? 1 : 0));
  page.gauge(
    'nws_process_start_time_seconds',
    'When the process started, in Unix time.',
    one(startedAt / 1_000),
  );
  page.counter(
    'nws_process_cpu_seconds_total',
    'Processor time of the process.',
    one((user + system) / 1e6),
  );
  page.gauge(
    'nws_process_resident_memory_bytes',
    'Memory that the process holds.',
    one(process.memoryUsage.rss()),
  );
  page.gauge('nws_pins', 'Exits whose certificate is on record.', one(pinsKnown));
  if (connections !== undefined) {
    page.gauge('nws_client_connections', 'TCP connections of clients.', one(connections));
  }
}

function describeStreams(page: MetricsPage, { accounts, session }: Subject): void {
  const { refused, failed } = accounts.sums;
  const none = { opened: 0, open: 0, bytesUp: 0, bytesDown: 0 };
  // The usual way is there from the beginning, so that rates have something to begin with.
  const ways = [...new Map([['relay', none], ...accounts.ways])];
  const byWay = (value: (sums: typeof none) => number): Values =>
    ways.map(([way, sums]) => [{ way }, value(sums)]);
  page.gauge(
    'nws_streams_open',
    'Streams that are open, by the way of their bytes.',
    byWay(({ open }) => open),
  );
  page.counter(
    'nws_streams_opened_total',
    'Streams that were opened.',
    byWay(({ opened }) => opened),
  );
  const codes = (counts: object): Values =>
    Object.entries(counts).map(([code, count]) => [{ code }, count as number]);
  page.counter(
    'nws_streams_refused_total',
    'Streams that were asked for and not opened, by reason.',
    codes(refused),
  );
  page.counter(
    'nws_streams_failed_total',
    'Streams that were broken off, by reason.',
    codes(failed),
  );
  page.counter(
    'nws_stream_bytes_total',
    'Bytes that streams have carried: up, from clients to destinations, and down.',
    ways.flatMap(([way, { bytesUp, bytesDown }]) => [
      [{ way, direction: 'up' }, bytesUp],
      [{ way, direction: 'down' }, bytesDown],
    ]),
  );
  page.counter(
    'nws_errors_total',
    'Requests and streams that failed, by reason, as the status page lists them.',
    codes(Object.fromEntries(accounts.failures.totals())),
  );
  const peers = [...session.peers].length;
  page.gauge('nws_peers', 'Other sides that are known now: exits or clients.', one(peers));
  page.counter(
    'nws_ignored_events_total',
    'Events from relays that were left out, by reason.',
    Object.entries(session.ignored).map(([reason, count]) => [
      { reason: reason.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) },
      count,
    ]),
  );
}

function describeRelays(page: MetricsPage, subject: Subject): void {
  const ledger = subject.pool.ledger.entries();
  const named = new Set(ledger.map(([relay]) => relay));
  const rows = relaysOf(subject).filter(({ url }) => named.has(url));
  const now = (name: string, help: string, value: (row: (typeof rows)[0]) => number | undefined) =>
    page.gauge(
      name,
      help,
      rows.map((row) => [{ relay: row.url }, value(row)]),
    );
  const ever = (name: string, help: string, value: (counts: (typeof ledger)[0][1]) => number) =>
    page.counter(
      name,
      help,
      ledger.map(([relay, counts]) => [{ relay }, value(counts)]),
    );
  const isUp = new Set(['up', 'deaf', 'resting']);
  now('nws_relay_up', 'Whether the relay is connected.', ({ state }) => Number(isUp.has(state)));
  now('nws_relay_usable', 'Whether the relay takes our events and serves us.', ({ state }) =>
    Number(state === 'up'),
  );
  now(
    'nws_relay_round_trip_seconds',
    'From publishing an event to the OK of the relay, smoothed.',
    ({ roundTripMs }) => (roundTripMs === undefined ? undefined : roundTripMs / 1_000),
  );
  now(
    'nws_relay_unconfirmed_bytes',
    'Bytes of events that are on their way to the relay.',
    ({ unconfirmedBytes }) => unconfirmedBytes,
  );
  now(
    'nws_relay_event_limit_bytes',
    'Largest event that the relay takes, as far as is known.',
    ({ eventLimitBytes }) => eventLimitBytes,
  );
  ever('nws_relay_connects_total', 'Connections to the relay.', ({ connects }) => connects);
  ever('nws_relay_refusals_total', 'Events that the relay refused.', ({ refusals }) => refusals);
  ever('nws_relay_sent_events_total', 'Events published.', ({ eventsSent }) => eventsSent);
  ever(
    'nws_relay_received_events_total',
    'Events that came from the relay.',
    ({ eventsReceived }) => eventsReceived,
  );
  ever('nws_relay_sent_bytes_total', 'Bytes sent to the relay.', ({ bytesSent }) => bytesSent);
  ever(
    'nws_relay_received_bytes_total',
    'Bytes that came from the relay.',
    ({ bytesReceived }) => bytesReceived,
  );
}

interface Prom {
  readonly Counter: new (options: MetricOptions) => Counter;
  readonly Gauge: new (options: MetricOptions) => Gauge;
}

interface MetricOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
  readonly registers: Registry[];
}

class MetricsPage {
  readonly #registry: Registry;
  readonly #prom: Prom;

  constructor(registry: Registry, prom: Prom) {
    this.#registry = registry;
    this.#prom = prom;
  }

  gauge(name: string, help: string, values: Values): void {
    const gauge = new this.#prom.Gauge(this.#options(name, help, values));
    for (const [labels, value] of values) if (value !== undefined) gauge.set(labels, value);
  }

  counter(name: string, help: string, values: Values): void {
    const counter = new this.#prom.Counter(this.#options(name, help, values));
    for (const [labels, value] of values) if (value !== undefined) counter.inc(labels, value);
  }

  #options(name: string, help: string, [first]: Values): MetricOptions {
    // Those that there is nothing of yet are by code.
    const labelNames = first === undefined ? ['code'] : Object.keys(first[0]);
    return { name, help, labelNames, registers: [this.#registry] };
  }
}

function one(value: number): Values {
  return [[{}, value]];
}
