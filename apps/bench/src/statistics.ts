// Medians and quartiles. Figures that are not finite were not measured and do not count.

export interface Spread {
  /** First quartile. */
  readonly low: number;
  readonly median: number;
  /** Third quartile. */
  readonly high: number;
}

/** `undefined` if there are no figures. */
export function spreadOf(figures: readonly number[]): Spread | undefined {
  const sorted = sortedFinite(figures);
  if (sorted.length === 0) return undefined;
  return { low: quantile(sorted, 0.25), median: quantile(sorted, 0.5), high: quantile(sorted, 0.75) };
}

export function medianOf(figures: readonly number[]): number {
  return quantile(sortedFinite(figures), 0.5);
}

/**
 * 95 % confidence interval of the median, from the binomial distribution of ranks (normal approximation): it assumes nothing
 * about how the figures are distributed. With fewer than six figures it is the whole range.
 */
export function medianInterval(figures: readonly number[]): readonly [low: number, high: number] {
  const sorted = sortedFinite(figures);
  const count = sorted.length;
  const margin = (1.96 * Math.sqrt(count)) / 2;
  const low = Math.max(0, Math.floor(count / 2 - margin));
  const high = Math.min(count - 1, Math.ceil(count / 2 + margin));
  return [sorted[low] ?? Number.NaN, sorted[high] ?? Number.NaN];
}

function sortedFinite(figures: readonly number[]): readonly number[] {
  return figures.filter(Number.isFinite).toSorted((left, right) => left - right);
}

function quantile(sorted: readonly number[], share: number): number {
  const place = (sorted.length - 1) * share;
  const lower = sorted[Math.floor(place)] ?? Number.NaN;
  const upper = sorted[Math.ceil(place)] ?? Number.NaN;
  return lower + (upper - lower) * (place - Math.floor(place));
}
