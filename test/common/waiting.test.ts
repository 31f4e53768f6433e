import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import { inTime, unlessAborted, within } from '../../src/common/waiting.js';
import { WakeTimer } from '../../src/common/wake-timer.js';

/** Counts timers that were started and neither fired nor were cleared. */
function countTimers(): { stop(): number } {
  const { setTimeout: start, clearTimeout: clear } = globalThis;
  const running = new Set<unknown>();
  globalThis.setTimeout = ((act: () => void, ms: number) => {
    const timer = start(() => {
      running.delete(timer);
      act();
    }, ms);
    running.add(timer);
    return timer;
  }) as typeof setTimeout;
  globalThis.clearTimeout = (timer) => {
    running.delete(timer);
    clear(timer);
  };
  const stop = (): number => {
    Object.assign(globalThis, { setTimeout: start, clearTimeout: clear });
    return running.size;
  };
  return { stop };
}

const never = new Promise<never>(() => undefined);

describe('common/waiting', () => {
  it('gives a promise so much time, and leaves no timer behind', async () => {
    const timers = countTimers();
    expect(await inTime(Promise.resolve('here'), 60_000)).to.equal('here');
    expect(await inTime(never, 5)).to.equal(undefined);
    const failure = new Error('no');
    expect(await inTime(Promise.reject(failure), 60_000).catch((error) => error)).to.equal(failure);
    expect(timers.stop()).to.equal(0);
  });

  it('ends work that takes too long, or whose client leaves, by its signal', async () => {
    const late = new Error('late');
    const client = new AbortController();
    const ended = (signal: AbortSignal): Promise<unknown> =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)));
    expect(await within(5, late, client.signal, ended)).to.equal(late);
    const left = within(60_000, late, client.signal, ended);
    client.abort('left');
    expect(await left).to.equal('left');
    expect(getEventListeners(client.signal, 'abort')).to.have.lengthOf(0);
  });

  it('gives what came too late to whoever has to end it', async () => {
    const client = new AbortController();
    let arrive: (value: string) => void = () => undefined;
    const slow = new Promise<string>((resolve) => {
      arrive = resolve;
    });
    const disposed = new Promise((resolve) => {
      void unlessAborted(slow, client.signal, resolve).catch(() => arrive('late'));
    });
    client.abort(new Error('left'));
    expect(await disposed).to.equal('late');
  });
});

describe('common/wake-timer', () => {
  it('wakes at the earliest of several times, once, and can be armed again', async () => {
    const start = performance.now();
    let wakes = 0;
    await new Promise<void>((resolve) => {
      const timer = new WakeTimer(() => {
        wakes += 1;
        if (wakes === 1) timer.arm(performance.now());
        else resolve();
      });
      timer.arm(start + 3_600_000);
      timer.arm(start + 20);
      timer.arm(start + 7_200_000);
      timer.arm(undefined);
    });
    expect(performance.now() - start).to.be.at.least(19);
    expect(wakes).to.equal(2);
  });

  it('keeps a time that is further away than timers reach, and can be disarmed', () => {
    const timer = new WakeTimer(() => {
      throw new Error('must not wake');
    });
    timer.arm(performance.now() + 100 * 86_400_000);
    timer.disarm();
  });
});
