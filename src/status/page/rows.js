// What the tables show: their columns, in which order their rows stand, and what they say when they are empty.
// A cell is a text, or { text, note, title, tone, share }.

import * as format from './format.js';

const up = { label: 'Up', numeric: true, cell: (row) => format.bytes(row.bytesUp) };
const down = { label: 'Down', numeric: true, cell: (row) => format.bytes(row.bytesDown) };

/** What was opened for somebody or to somewhere, and what it carried. */
const sums = [
  { label: 'Open', numeric: true, cell: (row) => format.number(row.streams) },
  { label: 'So far', numeric: true, cell: ({ opened }) => format.number(opened) },
  {
    label: 'Refused',
    numeric: true,
    cell: ({ refused }) => ({
      text: format.number(refused),
      tone: refused > 0 ? 'warn' : undefined,
    }),
  },
  up,
  down,
];
const name = (text) => ({ text: format.short(text), title: text });
const traffic = (row) => row.bytesUp + row.bytesDown;
const byStreams = (a, b) => b.streams - a.streams || b.opened - a.opened;

const STATES = {
  up: { text: 'up', tone: 'good' },
  connecting: { text: 'connecting', tone: 'muted' },
  deaf: { text: 'ends our subscription', tone: 'bad' },
  resting: { text: 'refuses, resting', tone: 'bad' },
  down: { text: 'down', tone: 'bad' },
};

/** @param {'proxy' | 'exit'} role */
export function tablesFor(role) {
  const isProxy = role === 'proxy';
  const other = isProxy ? 'Exit' : 'Client';
  return [
    errors,
    relays,
    streams(other),
    peers(other, isProxy),
    ...(isProxy ? [] : [targets]),
    pins(isProxy),
  ];
}

const relays = {
  name: 'relays',
  title: 'Relays',
  empty: 'No relay is in use. A name brings its relays along.',
  order: (a, b) => (a.url < b.url ? -1 : 1),
  columns: [
    {
      label: 'Relay',
      main: true,
      cell: ({ url, lastRefusal }, { now }) => ({
        text: url,
        note:
          lastRefusal && `last refusal ${format.ago(lastRefusal.at, now)}: ${lastRefusal.reason}`,
      }),
    },
    { label: 'State', cell: ({ state, reason }) => ({ ...STATES[state], note: reason }) },
    {
      label: 'Round trip',
      numeric: true,
      cell: ({ roundTripMs }) => format.milliseconds(roundTripMs),
    },
    {
      label: 'Share',
      numeric: true,
      cell: (row, { sums }) => {
        const all = sums.relays || 1;
        const share = (row.bytesSent + row.bytesReceived) / all;
        return { text: `${Math.round(share * 100)} %`, share };
      },
    },
    { label: 'Sent', numeric: true, cell: ({ bytesSent }) => format.bytes(bytesSent) },
    { label: 'Received', numeric: true, cell: ({ bytesReceived }) => format.bytes(bytesReceived) },
    {
      label: 'Largest event',
      numeric: true,
      cell: ({ eventLimitBytes }) => format.bytes(eventLimitBytes),
    },
    {
      label: 'Refusals',
      numeric: true,
      cell: ({ refusals }) => ({
        text: format.number(refusals),
        tone: refusals > 0 ? 'warn' : undefined,
      }),
    },
    { label: 'Connects', numeric: true, cell: ({ connects }) => format.number(connects) },
  ],
};

const streams = (other) => ({
  name: 'streams',
  title: 'Streams',
  empty: 'No stream is open.',
  filter: true,
  orders: {
    bytes: { label: 'most bytes first', order: (a, b) => traffic(b) - traffic(a) || b.id - a.id },
    newest: { label: 'newest first', order: (a, b) => b.id - a.id },
    oldest: { label: 'oldest first', order: (a, b) => a.id - b.id },
  },
  columns: [
    { label: 'Host', main: true, cell: ({ host }) => name(host) },
    { label: other, cell: ({ npub }) => name(npub) },
    { label: 'Way', cell: ({ way }) => way },
    up,
    down,
    {
      label: 'Now',
      numeric: true,
      live: true,
      cell: (_row, { speed }) => (speed < 1 ? '–' : format.rate(speed)),
    },
    {
      label: 'Age',
      numeric: true,
      live: true,
      cell: ({ openedAt }, { now }) => format.duration((now - openedAt) / 1000),
    },
  ],
});

const speaks = {
  label: 'Speaks',
  cell: ({ kind }) => ({ reliable: 'reliable streams', plain: 'NIP-443' })[kind] ?? '–',
};

const peers = (other, isProxy) => ({
  name: 'peers',
  title: `${other}s`,
  empty: other === 'Exit' ? 'No exit was used yet.' : 'No client was here yet.',
  order: byStreams,
  columns: [
    { label: other, main: true, cell: ({ npub }) => name(npub) },
    // An exit answers each stream as it is asked for.
    ...(isProxy ? [speaks] : []),
    {
      label: 'Round trip',
      numeric: true,
      cell: ({ roundTripMs }) => format.milliseconds(roundTripMs),
    },
    {
      label: 'Over',
      cell: ({ relay, direct }) => ({
        ...(relay ? name(relay) : { text: '–' }),
        note: direct && `direct path: ${direct.remote ?? direct.reason ?? direct.state}`,
      }),
    },
    ...sums,
  ],
});

const targets = {
  name: 'targets',
  title: 'Destinations',
  empty: 'Nothing was asked for yet.',
  order: byStreams,
  columns: [{ label: 'Host', main: true, cell: ({ host }) => name(host) }, ...sums],
};

const pins = (isProxy) => ({
  name: 'pins',
  title: isProxy ? 'Pins' : 'Certificate',
  empty: isProxy
    ? 'No certificate is on record yet: the first one comes with the first https request.'
    : 'A target of raw TCP has no certificate of the exit’s.',
  order: (a, b) => (b.changedAt ?? 0) - (a.changedAt ?? 0) || b.signedAt - a.signedAt,
  columns: [
    { label: 'Signed by', main: true, cell: ({ npub }) => name(npub) },
    {
      label: 'Certificate (SHA-256)',
      cell: (row) => ({
        text: format.fingerprint(row.fingerprint),
        title: row.fingerprint,
        note: row.successors > 0 ? `and ${row.successors} that may follow` : undefined,
      }),
    },
    { label: 'Signed', numeric: true, cell: ({ signedAt }) => format.date(signedAt) },
    { label: 'Known since', numeric: true, cell: ({ since }) => format.date(since) },
    {
      label: 'Valid until',
      numeric: true,
      cell: ({ notAfter }) => (notAfter === undefined ? 'by the pin alone' : format.date(notAfter)),
    },
    {
      label: 'Changes',
      numeric: true,
      cell: ({ changes, changedAt }) => ({
        text: format.number(changes),
        tone: changes > 0 ? 'warn' : undefined,
        note: changedAt === undefined ? undefined : `last on ${format.date(changedAt)}`,
      }),
    },
  ],
});

const errors = {
  name: 'errors',
  title: 'Errors of the last hour',
  empty: 'None.',
  order: (a, b) => b.at - a.at,
  columns: [
    {
      label: 'What happened last',
      main: true,
      wide: true,
      cell: ({ message, hint }) => ({ text: message, note: hint }),
    },
    { label: 'About', cell: ({ about }) => name(about) },
    { label: 'Code', cell: ({ code }) => ({ text: code, tone: 'code' }) },
    { label: 'Count', numeric: true, cell: ({ count }) => format.number(count) },
    { label: 'Last', numeric: true, live: true, cell: ({ at }, { now }) => format.ago(at, now) },
  ],
};
