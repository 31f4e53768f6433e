// What origins do that HTTP forbids, or that few expect: each changes a draft, and says what may come of it.

import { gzipSync } from 'node:zlib';
import { chunked, type Draft, hasNoBody } from './draft.js';
import type { Outcome } from './plan.js';

type Oddity = (draft: Draft) => void;

/** A head that is written as it stands, in front of nothing but the body. */
function raw(text: string, head: string, outcome: Outcome): Oddity {
  return (draft) => {
    draft.text.push(text);
    draft.outcome = outcome;
    Object.assign(draft, { interim: [], seen: [], trailers: [], status: 200, framing: 'close' });
    draft.isSettled = true;
    if (head === '') draft.body = Buffer.alloc(0);
    draft.wire = Buffer.concat([Buffer.from(head, 'latin1'), draft.body]);
    draft.end = 'fin';
  };
}

/** Changes the framing of an answer that has a body; others stay as they are. */
function framing(text: string, change: Oddity): Oddity {
  return (draft) => {
    if (hasNoBody(draft.request.method, draft.status)) return;
    draft.version = '1.1';
    draft.isSettled = true;
    draft.text.push(text);
    change(draft);
  };
}

/** A field that is written like this, and seen like that. */
function field(
  text: string,
  name: string,
  value: string,
  seen?: string,
  outcome?: Outcome,
): Oddity {
  return (draft) => {
    draft.text.push(text);
    draft.fields.push(name, value);
    if (seen !== undefined) draft.seen.push(name, seen);
    if (outcome !== undefined) draft.outcome = outcome;
  };
}

function lengths(text: string, of: (length: number) => string[], outcome: Outcome): Oddity {
  return framing(text, (draft) => {
    draft.framing = 'close'; // no line of its own
    draft.end = 'fin';
    draft.trailers = [];
    for (const value of of(draft.body.length)) draft.fields.push('Content-Length', value);
    draft.outcome = outcome;
  });
}

function badChunks(text: string, payload: (draft: Draft) => string, outcome: Outcome): Oddity {
  return framing(text, (draft) => {
    draft.framing = 'chunked';
    draft.body = Buffer.from('abz');
    draft.trailers = [];
    draft.payload = Buffer.from(payload(draft), 'latin1');
    draft.outcome = outcome;
    if (outcome !== 'whole') draft.end = 'fin';
  });
}

const chunks = (text: string, wire: string, outcome: Outcome): Oddity =>
  badChunks(text, () => wire, outcome);

export const ODDITIES: readonly Oddity[] = [
  raw('nothing', '', 'refused'),
  raw('garbage', '\x00\x01\x02 garbage\r\n\r\n', 'refused'),
  raw('another protocol', 'SSH-2.0-OpenSSH_9.2\r\n', 'refused'),
  raw('ICY', 'ICY 200 OK\r\n\r\n', 'refused'),
  raw('HTTP/2', 'HTTP/2.0 200 OK\r\n\r\n', 'either'),
  raw('no number', 'HTTP/1.1 OK\r\n\r\n', 'refused'),
  raw('letters', 'HTTP/1.1 2xx OK\r\n\r\n', 'refused'),
  raw(
    '101 unasked',
    'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
    'refused',
  ),
  raw('head over 128 KB', `HTTP/1.1 200 OK\r\nX-L: ${'l'.repeat(140_000)}\r\n\r\n`, 'refused'),
  field('folded', 'X-Fold', 'a;\r\n b', 'a; b'),
  field('folded twice', 'X-Fold', 'a\r\n\tb\r\n   c', 'a b c'),
  field('control byte', 'X-Ctl', 'a\x01b'),
  field('tab', 'X-Tab', 'a\tb', 'a\tb'),
  field('no name', '', 'x', undefined, 'either'),
  field('blank in front of the colon', 'X-Odd ', 'x', undefined, 'either'),
  field('NUL', 'X-Nul', 'a\x00b', undefined, 'either'),
  (draft) => {
    draft.text.push('1,100 fields');
    draft.outcome = 'either';
    for (let at = 0; at < 1_100; at += 1) {
      draft.fields.push(`X-N${at}`, '1');
      draft.seen.push(`X-N${at}`, '1');
    }
  },
  lengths('the same length twice', (length) => [`${length}`, `${length}`], 'whole'),
  lengths('the same length in a list', (length) => [`${length}, ${length}`], 'either'),
  lengths('two lengths', (length) => [`${length}`, `${length + 1}`], 'refused'),
  lengths('negative', () => ['-1'], 'refused'),
  lengths('signed', (length) => [`+${length}`], 'refused'),
  lengths('hexadecimal', () => ['0x10'], 'refused'),
  lengths('no number', () => ['many'], 'refused'),
  lengths('more than there can be', () => ['99999999999999999999999'], 'refused'),
  lengths('too long', (length) => [`${length + 1}`], 'cut'),
  framing('length beside chunked', (draft) => {
    draft.framing = 'chunked';
    draft.fields.push('Content-Length', '3');
  }),
  framing('HTTP/1.0 with chunks', (draft) => {
    draft.framing = 'chunked';
    draft.version = '1.0';
    draft.end = 'fin';
    draft.trailers = [];
    draft.outcome = 'either';
  }),
  framing('gzip, chunked', (draft) => {
    draft.framing = 'close';
    draft.end = 'fin';
    draft.trailers = [];
    draft.fields.push('Transfer-Encoding', 'gzip, chunked');
    draft.payload = chunked(draft.random, gzipSync(draft.body), []);
    draft.outcome = 'either';
  }),
  chunks('padded sizes', '3   \r\nabz\r\n0  \r\n\r\n', 'whole'),
  chunks('a size too large', 'fffffffffffffffff\r\nabz\r\n0\r\n\r\n', 'cut'),
  chunks('a size that is none', 'xyz\r\nabz\r\n0\r\n\r\n', 'cut'),
  chunks('an empty size', '\r\nabz\r\n0\r\n\r\n', 'cut'),
  chunks('a negative size', '-3\r\nabz\r\n0\r\n\r\n', 'cut'),
  chunks('a size too small', '2\r\nabz\r\n0\r\n\r\n', 'cut'),
  chunks('no last chunk', '3\r\nabz\r\n', 'cut'),
  chunks('bare LF', '3\nabz\n0\n\n', 'either'),
];
