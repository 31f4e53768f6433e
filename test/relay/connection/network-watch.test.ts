// A connection whose address is gone is made anew; all others are left alone.

import { once } from 'node:events';
import { expect } from 'chai';
import { NetworkWatch } from '../../../src/relay/connection/network-watch.js';
import { MemoryRelay } from '../../../src/relay/embedded/memory-relay.js';
import { openLink } from '../helpers.js';

describe('relay/network-watch', function () {
  this.timeout(15_000);

  it('renews what hangs on an address that this machine no longer has', async () => {
    const renewed: string[] = [];
    const connection = (localAddress: string | undefined) => ({
      localAddress,
      renew: () => renewed.push(localAddress ?? 'none'),
    });
    const connections = ['10.0.0.1', '::ffff:10.0.0.2', 'fe80::1%eth0', undefined].map(connection);
    let rounds = 0;
    await new Promise<void>((resolve) => {
      const addresses = (): Set<string> => {
        rounds += 1;
        if (rounds === 3) {
          watch.close();
          resolve();
        }
        return new Set(
          rounds === 1 ? ['10.0.0.1', '10.0.0.2', 'fe80::1'] : ['10.0.0.1', 'fe80::1'],
        );
      };
      const watch = new NetworkWatch(() => connections, addresses);
      // The watch itself keeps no process alive.
      const kept = setInterval(() => rounds === 3 && clearInterval(kept), 100);
    });
    expect(renewed).to.deep.equal(['::ffff:10.0.0.2']);
  });

  it('knows the address of a real link, which is connected anew when that goes', async () => {
    const relay = await MemoryRelay.start();
    const link = await openLink(relay.url);
    expect(link.localAddress).to.equal('127.0.0.1');
    const down = once(link, 'down');
    const up = once(link, 'up');
    let present = ['127.0.0.1'];
    const watch = new NetworkWatch(
      () => [link],
      () => new Set(present),
    );
    present = ['192.0.2.1'];
    await down;
    watch.close();
    await up;
    expect(link.isUp).to.equal(true);
    await link.close();
    await relay.close();
  });
});
