// Whether what client and origin saw of an exchange is what its plan allows. Undefined: it is.

import { all } from './answer-reader.js';
import type { View } from './client.js';
import { hasNoBody } from './draft.js';
import type { Seen } from './origin.js';
import type { Exchange, Outcome, Sight, Way } from './plan.js';

/** Fields that the plan speaks of; others are the proxies' own. */
const PLANNED = /^(x-|set-cookie$|etag$|vary$|link$)/i;

export function verdict(
  way: Way,
  isPipelined: boolean,
  exchange: Exchange,
  view: View,
  seen: Seen,
): string | undefined {
  return wrongRequest(isPipelined, exchange, seen) ?? wrongAnswer(way, isPipelined, exchange, view);
}

function wrongRequest(
  isPipelined: boolean,
  { request, habit }: Exchange,
  seen: Seen,
): string | undefined {
  if (seen.wrong !== undefined) return `the origin was sent: ${seen.wrong}`;
  if (habit.uploadsOnly !== undefined && seen.isWhole) return 'a part of an upload looks whole';
  // Clients that ask for much at once ask again for what they didn't get.
  if (!isPipelined && seen.count > (request.method === 'POST' ? 1 : 2))
    return `asked ${seen.count} times`;
  return undefined;
}

function wrongAnswer(
  way: Way,
  isPipelined: boolean,
  exchange: Exchange,
  view: View,
): string | undefined {
  const { sight } = exchange.answer;
  const outcome = judged(way, exchange);
  if (view.wrong !== undefined) return `no HTTP: ${view.wrong}`;
  if (view.end === 'left') return differs(way, exchange, view);
  if (isFailurePage(view)) {
    return outcome === 'whole' ? `failed: ${all(view.head!.fields, 'proxy-status')}` : undefined;
  }
  if (outcome === 'refused') return `${view.end}, status ${view.head?.status}, not a failure page`;
  if (outcome === 'whole' && view.end === 'broken') {
    return `broken off at ${view.head === undefined ? 'no head' : `${view.body.length} bytes`}`;
  }
  if (outcome === 'cut' && view.end === 'whole')
    return `looks whole with ${view.body.length} bytes`;
  return (
    differs(way, exchange, view) ??
    (view.end === 'whole' ? isShort(way, isPipelined, exchange, view, sight) : undefined)
  );
}

/** What a client with nghttp2 takes. */
const MAX_H2_VALUE = 65_536;

/**
 * What the proxy fetches from the clear web itself, it reads to the letter. In TLS it is the whole connection that a
 * client ends, be its answer on the way or not (RFC 5246, section 7.2.1).
 */
function judged(way: Way, { answer, habit, request }: Exchange): Outcome {
  const { outcome, isOdd, sight } = answer;
  // What ends a connection of HTTP/1.0 is a reset, which libuv may tell this client as an end.
  const isBare = request.version === '1.0' && way !== 'connect-tls' && way !== 'h2';
  if (outcome === 'cut' && isBare) return 'either';
  if (way === 'connect-tls' && habit.endsEarly) return 'either';
  if (outcome !== 'whole') return outcome;
  if (way === 'h2' && sight.head.fields.some(({ length }) => length > MAX_H2_VALUE)) {
    return 'refused';
  }
  return way === 'clear' && isOdd ? 'either' : outcome;
}

function isFailurePage({ head }: View): boolean {
  return head !== undefined && head.status >= 400 && all(head.fields, 'proxy-status').length > 0;
}

/** What came, as far as it came, has to be the plan's. */
function differs(way: Way, { answer: { sight } }: Exchange, view: View): string | undefined {
  if (view.head === undefined) return undefined;
  if (view.head.status !== sight.head.status) return `status ${view.head.status}`;
  const told = view.head.fields.filter((_, at, all) => PLANNED.test(all[at - (at % 2)]!));
  // A field that no answer may hold is dropped or mended, but for the rest nothing is lost or invented.
  const names = /^x-(ctl|nul|odd)$/i;
  const fields = told.filter((_, at) => !names.test(told[at - (at % 2)]!));
  if (meaning(way, fields) !== meaning(way, sight.head.fields)) {
    return `fields ${brief(fields)} for ${brief(sight.head.fields)}`;
  }
  if (!sight.body.subarray(0, view.body.length).equals(view.body)) {
    return `other bytes among ${view.body.length} of ${sight.body.length}`;
  }
  return undefined;
}

const brief = (fields: readonly string[]): string => JSON.stringify(fields).slice(0, 300);

/**
 * What fields say: a fold is as good as any blank (RFC 9112, section 5.2), and in HTTP/2 names are in lower case, and
 * values of one name may be joined (RFC 9110, section 5.3).
 */
function meaning(way: Way, fields: readonly string[]): string {
  const lines: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    lines.push(`${fields[at]!.toLowerCase()}: ${fields[at + 1]!.replace(/[ \t]+/g, ' ')}`);
  }
  if (way !== 'h2') return lines.join('\n');
  const joined = new Map<string, string>();
  for (const line of lines) {
    const [name = ''] = line.split(':', 1);
    const value = line.slice(name.length + 2);
    // An empty member says nothing (section 5.6.1).
    const members = [joined.get(name) ?? '', value].filter((member) => member !== '');
    joined.set(name, members.join(', '));
  }
  return [...joined].sort(([a], [b]) => (a < b ? -1 : 1)).join('\n');
}

/** What else a whole answer has. */
function isShort(
  way: Way,
  isPipelined: boolean,
  { request, answer }: Exchange,
  view: View,
  sight: Sight,
): string | undefined {
  // A reset takes along what hasn't been read, and libuv may tell it as an end (answers.ts).
  const mayLackBytes =
    answer.outcome === 'cut' || (answer.end === 'reset' && answer.outcome === 'either');
  if (view.body.length !== sight.body.length && !mayLackBytes) {
    return `${view.body.length} of ${sight.body.length} bytes, and looks whole`;
  }
  const hints = view.interim
    .filter(({ status }) => status === 103)
    .map(({ fields }) => fields.join());
  const planned = sight.interim.filter(({ status }) => status === 103);
  const expected = request.version === '1.0' ? [] : planned.map(({ fields }) => fields.join());
  // Behind a pipelined answer, hints come too late to be of use.
  if (!isPipelined && hints.join('\n').toLowerCase() !== expected.join('\n').toLowerCase())
    return `hints ${hints.join(' ')}`;
  const isFramed = request.version === '1.1' || way === 'h2';
  const trailers = isFramed ? sight.trailers.join('\n').toLowerCase() : '';
  const came = view.trailers.join('\n').toLowerCase();
  if (came !== trailers && (request.wantsTrailers || came !== '')) return `trailers ${came}`;
  const status = answer.sight.head.status;
  if (request.method === 'HEAD' && / length \d+/.test(answer.text) && hasNoBody('HEAD', status)) {
    const length = / length (\d+)/.exec(answer.text)![1];
    if (status !== 204 && all(view.head!.fields, 'content-length').join() !== length)
      return 'another length';
  }
  return undefined;
}
