// Who looks is told once a second, and nothing is looked at while nobody does.

import type { ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { mock } from 'node:test';
import { expect } from 'chai';
import { Live } from '../../src/status/live/live.js';
import { Samples } from '../../src/status/live/samples.js';
import { subject } from '../support/subject.js';

describe('status/live', () => {
  let looks: number;
  let live: Live;

  beforeEach(() => {
    mock.timers.enable({ apis: ['setInterval'] });
    looks = 0;
    const obstacle = (): undefined => {
      if (Number.isNaN(looks)) throw new Error('a mistake of ours');
      looks += 1;
    };
    live = new Live(subject({ obstacle }), new Samples(0), 2);
  });
  afterEach(() => mock.timers.reset());

  function viewer(): PassThrough {
    const res = new PassThrough();
    live.add(res as unknown as ServerResponse, new URLSearchParams());
    return res;
  }

  async function leave(res: PassThrough): Promise<void> {
    const closed = new Promise((resolve) => res.once('close', resolve));
    res.destroy();
    await closed;
  }

  const eventsOf = (res: PassThrough): number =>
    String(res.read() ?? '').split('\n\ndata: ').length - 1;

  it('looks once a second for all', () => {
    const [one, two] = [viewer(), viewer()];
    expect([looks, live.isFull]).to.deep.equal([2, true]);
    expect([eventsOf(one), eventsOf(two)]).to.deep.equal([1, 1]);
    mock.timers.tick(3_000);
    expect(looks).to.equal(5);
    live.close();
  });

  it('looks at nothing before somebody comes and after all have left', async () => {
    mock.timers.tick(5_000);
    expect(looks).to.equal(0);
    const [one, two] = [viewer(), viewer()];
    await leave(one);
    mock.timers.tick(1_000);
    expect([looks, live.viewers]).to.deep.equal([3, 1]);
    await leave(two);
    mock.timers.tick(60_000);
    expect(looks).to.equal(3);
    await leave(viewer());
    expect(looks).to.equal(4);
  });

  it('ends the pages, and nothing else, where the state can not be read', () => {
    const res = viewer();
    looks = Number.NaN;
    mock.timers.tick(1_000);
    expect([live.viewers, res.writableEnded]).to.deep.equal([1, true]);
    mock.timers.tick(5_000);
    expect(String(res.read()).match(/^data: /gm)).to.have.length(1);
  });

  it('leaves out who does not read, and goes on for the others', () => {
    const [deaf, other] = [viewer(), viewer()];
    eventsOf(other);
    Object.defineProperty(deaf, 'writableLength', { value: 2 ** 30 });
    eventsOf(deaf);
    mock.timers.tick(2_000);
    expect([deaf.readableLength, other.readableLength > 0]).to.deep.equal([0, true]);
    live.close();
  });
});
