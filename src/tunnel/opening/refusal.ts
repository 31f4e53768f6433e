// What a relay's refusal means to whoever asked for a stream.

import { NwsError } from '../../errors.js';

/** The error to end the opening with; undefined where the refusal may pass. */
export function refusalOf(reason: string, relays: string): NwsError | undefined {
  if (reason.startsWith('mute:')) {
    return new NwsError('exit_unreachable', 'no exit listens there', {
      hint: `the relay ${relays} says that nobody is subscribed; check that the exit runs and uses it`,
    });
  }
  if (!/^(blocked|restricted|auth-required|pow):/.test(reason)) return undefined;
  return new NwsError('relay_refused', `the relay ${relays} refuses our events: ${reason}`, {
    hint: 'use another relay, or one that lets this key write',
  });
}
