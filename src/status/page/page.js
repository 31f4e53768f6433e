// The status page: listens to /events and shows what comes. Reconnects by itself.

import * as format from './format.js';
import { Plot } from './plot.js';
import { tablesFor } from './rows.js';
import { element, setText, Table } from './tables.js';

/** After a refusal: a browser comes back by itself only where a connection was lost. */
const AGAIN_MS = 5_000;

const at = (id) => document.getElementById(id);
const plot = new Plot(at('plot'));
let tables = [];
let source;
/** Of the last state. */
let role;

function listen() {
  source?.close();
  const { filter = '', sort = '' } = tables.find(({ name }) => name === 'streams')?.query ?? {};
  source = new EventSource(`/events?${new URLSearchParams({ filter, sort })}`);
  source.addEventListener('message', ({ data }) => show(JSON.parse(data)));
  source.addEventListener('error', () => {
    setText(at('live'), 'lost – trying again …');
    at('live').dataset.tone = 'bad';
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN_MS);
  });
}

function show({ at: now, summary, tables: changes, samples, sample }) {
  if (role !== summary.role) build(summary);
  setText(at('live'), 'live');
  at('live').dataset.tone = 'good';
  if (samples) plot.reset(samples);
  else if (sample) plot.add(sample);
  at('plot-note').hidden = plot.size > 30;
  showSummary(summary, sample ?? samples?.at(-1), now);
  for (const table of tables) {
    // With all samples come all rows.
    if (samples) table.clear();
    if (changes[table.name]) table.update(changes[table.name], now);
  }
  const relays = tables.find(({ name }) => name === 'relays');
  const sums = { relays: relays.sum(({ bytesSent, bytesReceived }) => bytesSent + bytesReceived) };
  const totals = { streams: changes.matching, pins: summary.pinsKnown };
  for (const table of tables) table.draw({ now, sums, total: totals[table.name] });
}

function build(summary) {
  role = summary.role;
  document.title = `nws ${role}`;
  setText(at('role'), role);
  at('proxy-links').hidden = role !== 'proxy';
  tables = tablesFor(role).map((about) => new Table(about, listen));
  at('tables').replaceChildren(...tables.map(({ section }) => section));
  const identity = [
    ['Name', summary.name],
    ['npub', summary.npub],
    ['Target', summary.target],
  ].filter(([, text]) => text !== undefined);
  at('identity').hidden = identity.length === 0;
  at('identity').replaceChildren(
    ...identity.flatMap(([label, text]) => [element('dt', {}, label), element('dd', {}, text)]),
  );
}

function showSummary(summary, sample, now) {
  const { ready, obstacle } = summary;
  setText(at('ready'), ready ? 'ready' : 'not ready');
  at('ready').dataset.tone = ready ? 'good' : 'bad';
  at('obstacle').hidden = ready;
  setText(at('obstacle'), obstacle ?? '');
  const uptime = format.duration((now - summary.startedAt) / 1000);
  setText(at('meta'), `version ${summary.version} · up for ${uptime}`);
  const isFresh = sample !== undefined && sample.seconds < 10;
  const rateOf = (count) => (isFresh ? format.rate(count / sample.seconds) : '–');
  setText(at('rate-down'), rateOf(sample?.bytesDown));
  setText(at('rate-up'), rateOf(sample?.bytesUp));
  showFigures([
    ['Open streams', format.number(summary.streamsOpen)],
    ['Streams so far', format.number(summary.streamsOpened)],
    ['To clients', format.bytes(summary.bytesDown)],
    ['From clients', format.bytes(summary.bytesUp)],
    ['Refused', format.number(summary.streamsRefused), summary.streamsRefused > 0],
    ['Broken off', format.number(summary.streamsFailed)],
    ...(summary.connections === undefined
      ? []
      : [['Client connections', format.number(summary.connections)]]),
  ]);
}

function showFigures(figures) {
  const list = at('figures');
  while (list.children.length < figures.length) {
    const figure = element('div');
    figure.append(element('dt'), element('dd'));
    list.append(figure);
  }
  for (const [index, [label, text, isWarning]] of figures.entries()) {
    const [term, value] = list.children[index].children;
    setText(term, label);
    setText(value, text);
    value.dataset.tone = isWarning ? 'warn' : '';
  }
}

listen();
