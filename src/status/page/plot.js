// Throughput over time, drawn by uPlot, in the page's colours.

import { bytes, rate } from './format.js';
import uPlot from './uplot.js';

/** A longer sample is of a time when nobody looked: the line breaks. */
const GAP_S = 10;
const HEIGHT = 180;
const MAX_POINTS = 2_000;

export class Plot {
  #place;
  #plot;
  /** Seconds, down, up. */
  #data = [[], [], []];

  constructor(place) {
    this.#place = place;
    new ResizeObserver(() => this.#resize()).observe(place);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#make());
  }

  /** Begins anew with these. */
  reset(samples) {
    this.#data = [[], [], []];
    for (const sample of samples) this.#push(sample);
    this.#draw();
  }

  add(sample) {
    if (sample.at / 1000 <= (this.#data[0].at(-1) ?? 0)) return;
    this.#push(sample);
    this.#draw();
  }

  get size() {
    return this.#data[0].length;
  }

  #push({ at, seconds, bytesUp, bytesDown }) {
    const [times, downs, ups] = this.#data;
    if (seconds > GAP_S) {
      times.push((at - seconds * 500) / 1000);
      downs.push(null);
      ups.push(null);
    }
    times.push(at / 1000);
    downs.push(bytesDown / seconds);
    ups.push(bytesUp / seconds);
    while (times.length > MAX_POINTS) for (const list of this.#data) list.shift();
  }

  #draw() {
    if (this.#plot === undefined) this.#make();
    else this.#plot.setData(this.#data);
  }

  #resize() {
    const width = this.#place.clientWidth;
    if (width > 0) this.#plot?.setSize({ width, height: HEIGHT });
  }

  #make() {
    this.#plot?.destroy();
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour('--muted'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
      font: '12px system-ui, sans-serif',
    };
    const series = (label, name) => ({
      label,
      stroke: colour(name),
      fill: `${colour(name)}22`,
      width: 1.5,
      points: { show: false },
      value: (_plot, value) => (value === null ? '–' : rate(value)),
    });
    this.#plot = new uPlot(
      {
        width: this.#place.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        padding: [12, 28, 0, 0],
        scales: { y: { range: (_plot, _min, max) => [0, Math.max(1000, (max ?? 0) * 1.1)] } },
        axes: [
          { ...axis, size: 30, space: 70, values: (_plot, splits) => splits.map(clock) },
          {
            ...axis,
            size: 76,
            space: 36,
            splits: (_plot, _index, _min, max) =>
              [0, 1, 2, 3, 4].map((part) => part * niceStep(max)).filter((value) => value <= max),
            values: (_plot, splits) =>
              splits.map((value) => (value === 0 ? '0' : `${bytes(value)}/s`)),
          },
        ],
        series: [{}, series('to clients', '--down'), series('from clients', '--up')],
      },
      this.#data,
      this.#place,
    );
  }
}

function clock(seconds) {
  return new Date(seconds * 1000).toTimeString().slice(0, 8);
}

/** A quarter of what is shown, in 1, 2 or 5 of a power of ten. */
function niceStep(max) {
  const power = 10 ** Math.floor(Math.log10(max / 4));
  const step = [1, 2, 5, 10].find((factor) => factor * power * 4 >= max * 0.9) ?? 10;
  return step * power;
}
