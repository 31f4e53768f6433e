// What a relay's refusal means to whoever asked for a stream.

import { NwsError } from '../../errors.js';

/** Reasons that a moment later will be the same. */
const LASTING = /^(mute|blocked|restricted|auth-required|pow|invalid):/;
const ABOUT_KIND = /\bkinds?\b/i;
const ABOUT_TIME = /created_at|timestamp|creation date|too (old|early|late)|expired|future/i;

/** Whether it is of no use to ask that relay again. */
export function isLasting(reason: string): boolean {
  return LASTING.test(reason) || ABOUT_KIND.test(reason) || ABOUT_TIME.test(reason);
}

/** The error that tells the client about it. */
export function refusalOf(reason: string, relay: string): NwsError {
  if (reason.startsWith('mute:')) {
    return new NwsError('exit_unreachable', 'no exit listens there', {
      hint: `the relay ${relay} says that nobody is subscribed; check that the exit runs and uses it`,
    });
  }
  return new NwsError('relay_refused', `the relay ${relay} refuses our events: ${reason}`, {
    hint: hintOf(reason),
  });
}

/** The error where the relay doesn't let us hear the exit's answer. */
export function deafnessOf(reason: string, relay: string): NwsError {
  return new NwsError('relay_refused', `the relay ${relay} ends our subscription: ${reason}`, {
    hint: 'use another relay, or one that allows more subscriptions',
  });
}

function hintOf(reason: string): string {
  if (ABOUT_TIME.test(reason)) return 'check the clock of this machine';
  if (ABOUT_KIND.test(reason)) return 'use a relay that takes events of kind 28333';
  if (reason.startsWith('rate-limited:')) {
    return 'wait a moment, or use a relay of your own: public ones allow strangers little';
  }
  return 'use another relay, or one that lets this key write';
}
