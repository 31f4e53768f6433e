// How many events at the relay requests cost, until nothing more comes.

import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { KIND } from '../../src/protocol/wire/events.js';
import { embeddedIn, onEmbeddedRelay } from '../support/test-relay.js';
import { Guest, SharedExit } from './support/shared-exit.js';
import { Site } from './support/site.js';

/** Longer than anybody puts off an acknowledgement. */
const QUIET_MS = 600;
/** On a machine that is busy with more than this, what could have gone together goes by itself now and then. */
const TRIES = 4;

onEmbeddedRelay(() => {
  describe('the events of a request', function () {
    this.timeout(90_000);
    let site: Site;
    let shared: SharedExit;
    let guest: Guest;
    let events = 0;

    before(async () => {
      site = await Site.start();
      shared = await SharedExit.start(site.url);
      embeddedIn(shared.relay).on('event', ({ kind }: { kind: number }) => {
        if (kind === KIND.message) events += 1;
      });
      guest = await shared.entry(new Guest(), { preconnect: true });
      // From here on the exit is known, and a connection waits in advance.
      await counted(shared.https('/'));
    });
    after(async () => {
      await shared.close();
      await site.close();
    });

    /** Events until nothing has come for a while: there is no other sign that nothing more will. */
    async function counted(url: string): Promise<number> {
      const before = events;
      await guest.curl('-o', '/dev/null', url);
      for (let last = -1; last !== events; ) {
        last = events;
        await sleep(QUIET_MS);
      }
      return events - before;
    }

    /** The fewest of some tries. */
    async function least(url: string, enough: number): Promise<number> {
      let fewest = Number.POSITIVE_INFINITY;
      for (let left = TRIES; left > 0 && fewest > enough; left -= 1) {
        fewest = Math.min(fewest, await counted(url));
      }
      return fewest;
    }

    for (const [what, most, url] of [
      ['by https on a new connection', 7, () => shared.https('/')],
      ['by http, of a known exit and then of a known connection', 3, () => shared.http('/')],
      ['by https of 1 MB', 34, () => shared.https('/bytes/1000000')],
      ['by https of 10 MB', 280, () => shared.https('/bytes/10000000')],
    ] as const) {
      it(`are at most ${most} for one ${what}`, async () => {
        expect(await least(url(), most)).to.be.within(2, most);
      });
    }
  });
});
