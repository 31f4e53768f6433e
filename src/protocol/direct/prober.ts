// Looks for a pair of addresses on which two sides hear each other (RFC 8445's ideas, not all of it): asks all
// candidates at once, paced and bounded, answers what asks, and lets the entry choose the best. Pure: the time comes
// in, datagrams come out when pulled.

import { type Endpoint, formatEndpoint, isIpv6, sameEndpoint } from './endpoint.js';
import type { Probe, ProbeKind } from './probe.js';
import { ReplayWindow } from './replay-window.js';

/** Candidates that the other side names, and addresses from which it asks without having named them. */
export const MAX_CANDIDATES = 8;
const MAX_UNNAMED = 4;
/** When a candidate is asked, in ms after it became known: eleven times and no more. */
const ASK_AT_MS = [0, 150, 300, 500, 750, 1_000, 1_500, 2_000, 3_000, 4_000, 5_000];
/** After the last candidate, so long; then it is over, whatever comes. And so long in all, however late that was. */
export const PROBING_MS = 6_000;
export const MAX_PROBING_MS = 12_000;
/** From one question to the next, whomever they go to. */
const PACE_MS = 10;
/** Answers in all, and those that wait at once. */
const MAX_ANSWERS = 128;
const MAX_WAITING_ANSWERS = 16;
/** How long the first pair waits for a better one: IPv6 before IPv4, then the quicker one. */
const CHOICE_MS = 150;
const USE_EVERY_MS = 150;

interface Candidate {
  readonly endpoint: Endpoint;
  readonly since: number;
  asked: number;
  /** Questions without an answer, by number. */
  readonly waiting: Map<number, number>;
  rttMs: number | undefined;
}

export interface Outgoing {
  readonly kind: ProbeKind;
  readonly number: number;
  readonly to: Endpoint;
}

export interface ProberOptions {
  readonly side: 'entry' | 'exit';
  readonly now: number;
}

export class Prober {
  readonly #side: 'entry' | 'exit';
  readonly #candidates = new Map<string, Candidate>();
  readonly #answers: Outgoing[] = [];
  readonly #seen = new ReplayWindow();
  readonly #startedAt: number;
  #answered = 0;
  #named = 0;
  #number = 0;
  #nextAskAt: number;
  #endsAt: number;
  #firstAt: number | undefined;
  #chosen: Candidate | undefined;
  #hurried: Candidate | undefined;
  #useAt = 0;
  #result: Endpoint | undefined;

  constructor({ side, now }: ProberOptions) {
    this.#side = side;
    this.#startedAt = now;
    this.#nextAskAt = now;
    this.#endsAt = now + PROBING_MS;
  }

  /** Where the path leads, once both sides know. */
  get result(): Endpoint | undefined {
    return this.#result;
  }

  /** The round trip to a candidate that has answered, in ms. */
  get rttMs(): number | undefined {
    return this.#chosen?.rttMs;
  }

  /** The last number that was used; the path goes on from there. */
  get number(): number {
    return this.#number;
  }

  /** Whether nothing was found, and nothing more is tried. */
  isOver(now: number): boolean {
    return this.#result === undefined && now >= this.#endsAt;
  }

  /** The other side names an address. Returns whether it is taken. */
  add(endpoint: Endpoint, now: number): boolean {
    if (this.#candidates.has(formatEndpoint(endpoint))) return true;
    if (this.#named >= MAX_CANDIDATES) return false;
    this.#named += 1;
    this.#remember(endpoint, now);
    this.#endsAt = Math.min(now + PROBING_MS, this.#startedAt + MAX_PROBING_MS);
    return true;
  }

  #remember(endpoint: Endpoint, now: number): Candidate {
    const candidate = { endpoint, since: now, asked: 0, waiting: new Map(), rttMs: undefined };
    this.#candidates.set(formatEndpoint(endpoint), candidate);
    return candidate;
  }

  /**
   * Takes a probe of the other side that came from there.
   * @param mayAsk whether an address that nobody named may be asked
   */
  receive(probe: Probe, from: Endpoint, now: number, mayAsk: (at: Endpoint) => boolean): void {
    if (probe.side === this.#side || this.isOver(now)) return;
    if (probe.kind === 'answer' || probe.kind === 'used') this.#takeAnswer(probe, from, now);
    else if (this.#seen.accept(probe.number)) this.#takeQuestion(probe, from, now, mayAsk);
  }

  #takeQuestion(
    { kind, number }: Probe,
    from: Endpoint,
    now: number,
    mayAsk: (at: Endpoint) => boolean,
  ): void {
    const known = this.#candidates.get(formatEndpoint(from)) ?? this.#unnamed(from, now, mayAsk);
    if (known === undefined) return;
    const isUse = kind === 'use';
    if (isUse && (this.#side === 'entry' || !this.#mayUse(from))) return;
    this.#answer({ kind: isUse ? 'used' : 'answer', number, to: from });
    // What comes from there has opened its way: asking now may get through.
    if (known.rttMs === undefined && askAt(known) !== undefined) this.#hurry(known, now);
    if (isUse) this.#result = from;
  }

  /** An exit uses what the entry chose first. */
  #mayUse(from: Endpoint): boolean {
    return this.#result === undefined || sameEndpoint(this.#result, from);
  }

  #unnamed(from: Endpoint, now: number, mayAsk: (at: Endpoint) => boolean): Candidate | undefined {
    const isFull = this.#candidates.size - this.#named >= MAX_UNNAMED;
    return isFull || !mayAsk(from) ? undefined : this.#remember(from, now);
  }

  #answer(answer: Outgoing): void {
    if (this.#answered >= MAX_ANSWERS || this.#answers.length >= MAX_WAITING_ANSWERS) return;
    this.#answered += 1;
    this.#answers.push(answer);
  }

  #takeAnswer({ kind, number }: Probe, from: Endpoint, now: number): void {
    const candidate = this.#candidates.get(formatEndpoint(from));
    const askedAt = candidate?.waiting.get(number);
    if (candidate === undefined || askedAt === undefined) return;
    candidate.waiting.delete(number);
    candidate.rttMs = Math.min(candidate.rttMs ?? Number.POSITIVE_INFINITY, now - askedAt);
    if (kind === 'used' && candidate === this.#chosen) this.#result = candidate.endpoint;
    this.#firstAt ??= now;
  }

  /** One more question to it, ahead of its time. */
  #hurry(candidate: Candidate, now: number): void {
    this.#nextAskAt = Math.min(this.#nextAskAt, now);
    this.#hurried = candidate;
  }

  /** The next datagram to send, or undefined where nothing is due. */
  pull(now: number): Outgoing | undefined {
    const answer = this.#answers.shift();
    if (answer !== undefined) return answer;
    if (this.#result !== undefined || this.isOver(now) || now < this.#nextAskAt) return undefined;
    this.#choose(now);
    const outgoing = this.#chosen === undefined ? this.#ask(now) : this.#use(this.#chosen, now);
    if (outgoing !== undefined) this.#nextAskAt = now + PACE_MS;
    return outgoing;
  }

  #choose(now: number): void {
    const isTime = this.#firstAt !== undefined && now >= this.#choiceAt();
    if (this.#side === 'exit' || this.#chosen !== undefined || !isTime) return;
    const [best] = [...this.#candidates.values()]
      .filter(({ rttMs }) => rttMs !== undefined)
      .sort((a, b) => rank(a) - rank(b) || a.rttMs! - b.rttMs!);
    this.#chosen = best;
  }

  /** When the entry decides: at once where nothing better can come. */
  #choiceAt(): number {
    const all = [...this.#candidates.values()];
    const isBest = all.length === 1 || all.every(({ rttMs }) => rttMs !== undefined);
    return this.#firstAt! + (isBest ? 0 : CHOICE_MS);
  }

  #ask(now: number): Outgoing | undefined {
    const due = this.#hurried ?? this.#nextDue(now);
    this.#hurried = undefined;
    return due && this.#question('ask', due, now);
  }

  #nextDue(now: number): Candidate | undefined {
    let next: Candidate | undefined;
    for (const candidate of this.#candidates.values()) {
      const at = askAt(candidate);
      if (at === undefined || at > now) continue;
      if (next === undefined || at < askAt(next)!) next = candidate;
    }
    return next;
  }

  #use(chosen: Candidate, now: number): Outgoing | undefined {
    if (now < this.#useAt) return undefined;
    this.#useAt = now + USE_EVERY_MS;
    return this.#question('use', chosen, now);
  }

  #question(kind: 'ask' | 'use', candidate: Candidate, now: number): Outgoing {
    this.#number += 1;
    if (kind === 'ask') candidate.asked += 1;
    candidate.waiting.set(this.#number, now);
    return { kind, number: this.#number, to: candidate.endpoint };
  }

  /** The next time at which `pull` has something, or it is over. */
  wakeAt(): number {
    if (this.#answers.length > 0) return this.#nextAskAt;
    const times = [...this.#candidates.values()].flatMap((candidate) => askAt(candidate) ?? []);
    if (this.#firstAt !== undefined && this.#side === 'entry') {
      times.push(this.#chosen === undefined ? this.#choiceAt() : this.#useAt);
    }
    const next = this.#hurried === undefined ? Math.min(...times) : this.#nextAskAt;
    return Math.min(this.#endsAt, Math.max(this.#nextAskAt, next));
  }
}

/** When it is to be asked next; undefined: it has answered, or was asked often enough. */
function askAt({ since, asked, rttMs }: Candidate): number | undefined {
  const after = rttMs === undefined ? ASK_AT_MS[asked] : undefined;
  return after === undefined ? undefined : since + after;
}

function rank({ endpoint }: Candidate): number {
  return isIpv6(endpoint) ? 0 : 1;
}
