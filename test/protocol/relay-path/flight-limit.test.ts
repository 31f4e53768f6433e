// How much may be on its way over one relay: grows while nothing queues up, shrinks when something does, and isn't led
// astray by single round trips.

import { expect } from 'chai';
import { FlightLimit, MAX_FLIGHT_BYTES } from '../../../src/protocol/relay-path/flight-limit.js';
import { random } from '../../support/random.js';

const KB = 1024;

/** Round trips over a way of `baseMs` that carries so many bytes a ms and is kept as full as the limit allows. */
function run(
  flight: FlightLimit,
  options: { baseMs: number; bytesPerMs: number; jitterMs?: number; fromMs?: number; ms?: number },
): number {
  const { baseMs, bytesPerMs, jitterMs = 0, fromMs = 0, ms = 30_000 } = options;
  const { integer } = random(7);
  let roundTripMs = baseMs;
  for (let now = fromMs + 1_000; now < fromMs + 1_000 + ms; now += 10) {
    const queueMs = Math.max(0, flight.bytes / bytesPerMs - baseMs);
    // The queue follows the limit a round trip later.
    roundTripMs += (baseMs + queueMs - roundTripMs) * Math.min(1, 10 / roundTripMs);
    flight.arrived(Math.min(flight.inFlightBytes, 10 * bytesPerMs));
    if (flight.hasRoom) flight.sent(flight.bytes - flight.inFlightBytes);
    flight.reached();
    flight.sample(roundTripMs + integer(2 * jitterMs + 1) - jitterMs, now);
  }
  return roundTripMs;
}

describe('protocol/flight-limit', () => {
  it('fills a way, and lets no long queue grow on it', () => {
    for (const baseMs of [20, 200]) {
      const flight = new FlightLimit();
      const bytesPerMs = 10 * KB;
      const roundTripMs = run(flight, { baseMs, bytesPerMs });
      expect(flight.bytes).to.be.at.least(Math.min(0.8 * baseMs * bytesPerMs, 96 * KB));
      expect(roundTripMs).to.be.below(1.3 * baseMs + 40);
    }
  });

  it('is not misled by round trips that differ by a batch of a relay', () => {
    const flight = new FlightLimit();
    run(flight, { baseMs: 170, bytesPerMs: 20 * KB, jitterMs: 90 });
    expect(flight.bytes).to.be.above(0.5 * 170 * 20 * KB);
    flight.sample(5, 32_000); // one that was lucky
    run(flight, { baseMs: 170, bytesPerMs: 20 * KB, jitterMs: 90, fromMs: 33_000 });
    expect(flight.bytes).to.be.above(0.5 * 170 * 20 * KB);
  });

  it('learns that the way has become longer', () => {
    const flight = new FlightLimit();
    run(flight, { baseMs: 20, bytesPerMs: 10 * KB });
    run(flight, { baseMs: 200, bytesPerMs: 10 * KB, fromMs: 40_000, ms: 120_000 });
    expect(flight.bytes).to.be.above(0.6 * 200 * 10 * KB);
  });

  it('is not lowered by what is small and takes longer: that is no queue of its making', () => {
    const flight = new FlightLimit();
    const before = flight.bytes;
    for (let now = 1_000; now < 60_000; now += 10) {
      flight.sent(1_000);
      flight.sample(now < 3_000 ? 100 : 250, now);
      flight.arrived(1_000);
    }
    expect(flight.bytes).to.equal(before);
  });

  it('grows soon where large events take longer than small ones did, with nothing in a queue', () => {
    const flight = new FlightLimit();
    for (let now = 1_000; now < 5_000; now += 10) flight.sample(150, now);
    run(flight, { baseMs: 220, bytesPerMs: 30 * KB, fromMs: 5_000, ms: 6_000 });
    expect(flight.bytes).to.be.above(0.8 * 220 * 30 * KB);
  });

  it('never grows while it is not reached, nor beyond its bound', () => {
    const flight = new FlightLimit();
    const before = flight.bytes;
    for (let now = 1_000; now < 10_000; now += 10) flight.sample(20, now);
    expect(flight.bytes).to.equal(before);
    run(flight, { baseMs: 20, bytesPerMs: 1e9, fromMs: 10_000 });
    expect(flight.bytes).to.be.within(MAX_FLIGHT_BYTES / 2, MAX_FLIGHT_BYTES);
  });

  it('keeps bursts short while something small goes the same way, and for a moment longer', () => {
    const flight = new FlightLimit();
    run(flight, { baseMs: 100, bytesPerMs: 1e9, fromMs: 0, ms: 20_000 });
    const alone = flight.bytes;
    flight.share(30_000, true);
    expect(flight.bytes).to.be.below(alone / 2);
    flight.share(30_900, false);
    expect(flight.bytes).to.be.below(alone / 2);
    flight.share(31_100, false);
    expect(flight.bytes).to.equal(alone);
  });

  it('shrinks where more times out than arrives, and not where little does', () => {
    const flight = new FlightLimit();
    const before = flight.bytes;
    flight.arrived(500 * KB);
    flight.timedOut(300 * KB, 1_000);
    expect(flight.bytes).to.equal(before);
    flight.timedOut(300 * KB, 1_001);
    expect(flight.bytes).to.equal(before / 2);
  });
});
