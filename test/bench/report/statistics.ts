// Medians, and how far the runs were apart.

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)]!;
  const median = Number.isInteger(middle) ? (sorted[middle - 1]! + upper) / 2 : upper;
  return { median, least: sorted[0]!, most: sorted.at(-1)! };
}
