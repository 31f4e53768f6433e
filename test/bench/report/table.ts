// What the bench measured, as one table in Markdown.

import { type Spread, spreadOf } from './statistics.js';

export interface Row {
  /** Which relay, or none. */
  readonly relay: string;
  readonly what: string;
  readonly unit: string;
  readonly values: readonly number[];
  /** Of each run, to what the name says in the same round. */
  readonly ratios?: Readonly<Record<string, readonly number[]>>;
  /** Of a throughput, a 100 MB: shown as medians. */
  readonly events?: readonly number[];
  readonly cpuSeconds?: Readonly<Record<string, readonly number[]>>;
}

const HEADS = ['relay', 'what', 'median', 'runs', 'unit', 'ratio', 'events/100 MB'] as const;
const CPU_HEAD = 'CPU-seconds/100 MB';

export function tableOf(rows: readonly Row[]): string {
  const cells = [[...HEADS, CPU_HEAD], ...rows.map(cellsOf)];
  const widths = cells[0]!.map((_, at) => Math.max(...cells.map((row) => row[at]!.length)));
  const lines = cells.map((row) => row.map((cell, at) => cell.padEnd(widths[at]!)).join(' | '));
  const rule = widths.map((width) => '-'.repeat(width)).join(' | ');
  return [lines[0], rule, ...lines.slice(1)].map((line) => `| ${line} |`).join('\n');
}

function cellsOf(row: Row): string[] {
  const spread = spreadOf(row.values);
  const cpu = Object.entries(row.cpuSeconds ?? {});
  const ratios = Object.entries(row.ratios ?? {});
  return [
    row.relay,
    row.what,
    figure(spread.median),
    row.values.length > 1 ? range(spread) : '',
    row.unit,
    ratios.map(([to, values]) => ratio(spreadOf(values), to)).join(', '),
    row.events?.length ? String(Math.round(spreadOf(row.events).median)) : '',
    cpu.map(([name, seconds]) => `${name} ${figure(spreadOf(seconds).median)}`).join(', '),
  ];
}

function ratio(spread: Spread, to: string): string {
  const { median } = spread;
  return `${median.toFixed(2)} (${spread.least.toFixed(2)}–${spread.most.toFixed(2)}) of ${to}`;
}

function range({ least, most }: Spread): string {
  return `${figure(least)}–${figure(most)}`;
}

/** With as many digits as mean anything. */
function figure(value: number): string {
  if (value >= 100 || Number.isInteger(value)) return String(Math.round(value));
  return value.toFixed(value < 10 ? 2 : 1);
}
