// Medians and quartiles of what was measured, with what was not measured left out.

export interface Spread {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

/** The quartiles; `undefined` if there is nothing. */
export function spreadOf(figures: readonly number[]): Spread | undefined {
  const sorted = figures.filter(Number.isFinite).toSorted((left, right) => left - right);
  if (sorted.length === 0) return undefined;
  return { low: quantile(sorted, 0.25), median: quantile(sorted, 0.5), high: quantile(sorted, 0.75) };
}

function quantile(sorted: readonly number[], share: number): number {
  const place = (sorted.length - 1) * share;
  const lower = sorted[Math.floor(place)] ?? Number.NaN;
  const upper = sorted[Math.ceil(place)] ?? Number.NaN;
  return lower + (upper - lower) * (place - Math.floor(place));
}
