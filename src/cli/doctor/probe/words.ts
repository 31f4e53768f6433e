// What a probe of a relay means, in one line of words, and what to do about it. Pure.

import type { Finding } from '../check.js';
import type { Probe } from './probe.js';

/** What may be said about a relay, worst first. */
interface Judgement {
  readonly status: Finding['status'];
  readonly hint?: string;
}

/** Below this a relay is of little use for anything but small pages. */
const SMALL_EVENT_BYTES = 20_000;

const OTHER_RELAY = 'use another relay, or run one of your own';

/** The finding for one relay. */
export function inWords(url: string, probe: Probe): Finding {
  const { status, hint } = judge(probe);
  const parts = [
    `up in ${ms(probe.connectMs)}`,
    ...software(probe),
    ...delivery(probe),
    ...(probe.delivered > 0 ? habits(probe) : []),
  ];
  const details = {
    ...probe,
    connectMs: Math.round(probe.connectMs),
    roundTripMs: probe.roundTripMs === undefined ? null : Math.round(probe.roundTripMs),
  };
  return { check: 'relay', subject: url, status, found: parts.join('; '), hint, details };
}

function judge(probe: Probe): Judgement {
  const { delivered, published, refusal, deafness, largestBytes, limitBytes } = probe;
  if (delivered === 0) return { status: 'failed', hint: remedy(probe) };
  if (refusal !== undefined && largestBytes === undefined) {
    const hint = 'public relays ration what strangers publish: use one of your own, or a friend’s';
    return { status: 'note', hint };
  }
  if (largestBytes === undefined || deafness !== undefined) {
    return { status: 'failed', hint: OTHER_RELAY };
  }
  if (delivered < published - refused(probe)) {
    return { status: 'note', hint: 'streams repeat what is lost, and are slower for it' };
  }
  if (largestBytes < limitBytes || largestBytes < SMALL_EVENT_BYTES) {
    return { status: 'note', hint: 'small events make many: transfers are slow over this relay' };
  }
  return { status: 'ok' };
}

function remedy({ refusal, deafness }: Probe): string {
  if (/auth/i.test(refusal ?? deafness ?? '')) {
    return 'it serves keys that it knows: give yours by --key-file, or use another relay';
  }
  if (/created_at|timestamp|too (old|early|late)|clock/i.test(refusal ?? '')) {
    return 'see the clock above';
  }
  return refusal === undefined
    ? 'it takes ephemeral events and forwards none: use another relay'
    : OTHER_RELAY;
}

/** Sizes that were tried before one passed. */
function refused({ largestBytes, limitBytes }: Probe): number {
  if (largestBytes === limitBytes || largestBytes === undefined) return 0;
  return [limitBytes, 32_768, 16_384].filter((bytes) => bytes > largestBytes).length;
}

function software({ information }: Probe): string[] {
  if (information === undefined) return ['no NIP-11'];
  const { software: url = '', version, name } = information;
  const program =
    url
      .replace(/\.git$/, '')
      .split('/')
      .at(-1) || name;
  const text = [program, version].filter(Boolean).join(' ');
  return text === '' ? [] : [printable(text)];
}

function delivery(probe: Probe): string[] {
  const { delivered, published, roundTripMs, refusal, deafness, largestBytes } = probe;
  const said = refusal ?? deafness;
  const because = said === undefined ? '' : `: ${printable(said)}`;
  if (delivered === 0) return [`forwards nothing${because}`];
  return [
    `there and back in ${ms(roundTripMs ?? 0)}`,
    largestBytes === undefined
      ? `took ${delivered} events, then no more${because}`
      : `events of ${largestBytes} bytes pass`,
    ...(largestBytes !== undefined && delivered < published - refused(probe)
      ? [`loses some: ${delivered} of ${published - refused(probe)} arrived`]
      : []),
  ];
}

function habits(probe: Probe): string[] {
  const { confirmed, delivered, isInOrder, duplicates, isReplaying, hasAskedForAuth } = probe;
  const confirming =
    confirmed === 0
      ? 'delivers, never confirms'
      : confirmed < delivered
        ? 'delivers, confirms some'
        : 'confirms';
  return [
    confirming,
    isInOrder ? 'in order' : 'in another order',
    ...(duplicates > 0 ? ['some twice'] : []),
    ...(isReplaying ? ['keeps ephemerals for those who come later'] : []),
    ...(hasAskedForAuth ? ['asks for authentication (NIP-42), which was given'] : []),
  ];
}

function ms(value: number): string {
  return `${Math.max(1, Math.round(value))} ms`;
}

/** A stranger's text, in a terminal. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 120);
}
