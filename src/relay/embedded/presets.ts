// The habits of relays that people run, as sets of the embedded relay's switches.

import type { RelayBehaviour } from './behaviour.js';

type Habits = Readonly<Partial<RelayBehaviour>>;

/** What strfry does with its default settings (measured; PROTOCOL.md, "What relays do"). */
export const strfryBehaviour: Habits = Object.freeze({
  deliveryDelayMs: 100,
  writeBatchMs: 3,
  reorder: true,
  replayEphemerals: true,
  muteUnheard: false,
});

/**
 * nostr-rs-relay: confirms no ephemeral event (0.8 and before; later ones leave OKs out when many come at once),
 * tells what is too large and subscriptions beyond its bound by NOTICE, says no EOSE where nothing stored is
 * asked for, and ignores a REQ whose id it has.
 */
export const nostrRsRelayBehaviour: Habits = Object.freeze({
  silent: 'ephemerals',
  refusals: 'notice',
  tooLargeText: 'event exceeded max size',
  muteUnheard: false,
  maxSubscriptions: 32,
  sameId: 'ignore',
  eoseUnlessZero: true,
});

/** khatru where its operator demands AUTH: asks for it when it refuses, and delivers to authenticated receivers alone. */
export const khatruBehaviour: Habits = Object.freeze({
  authRequired: true,
  authChallenge: 'behind refusals',
  receiversOnly: true,
});

/** A relay behind a CDN that allows little: few subscriptions, small events, no `limit: 0`, some OKs missing. */
export const strictBehaviour: Habits = Object.freeze({
  deliveryDelayMs: 10,
  missEveryOk: 10,
  muteUnheard: false,
  maxEventBytes: 16_384,
  maxSubscriptions: 3,
  sameId: 'close',
  limitZero: 'refused',
  wantsUserAgent: true,
});

/** A public relay that rations what strangers publish, and refuses the rest. */
export const rationedBehaviour: Habits = Object.freeze({
  deliveryDelayMs: 10,
  muteUnheard: false,
  eventsPerSecond: 20,
  overRate: 'refused',
});

/** By the name that `--behave` takes. */
export const PRESETS = Object.freeze({
  plain: Object.freeze({}) as Habits,
  strfry: strfryBehaviour,
  'nostr-rs-relay': nostrRsRelayBehaviour,
  khatru: khatruBehaviour,
  strict: strictBehaviour,
  rationed: rationedBehaviour,
});

export type PresetName = keyof typeof PRESETS;
