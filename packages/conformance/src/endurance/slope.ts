// Linear regression: the growth per unit, with its confidence interval.

export interface Slope {
  /** Growth per unit of `at`. */
  readonly perUnit: number;
  /** Half the width of the 95 % confidence interval of the slope, for independent random errors. */
  readonly plusMinus: number;
}

export interface Sample {
  readonly at: number;
  readonly value: number;
}

/** The least-squares line. Needs three samples at different times; with fewer, `plusMinus` is `Infinity`. */
export function slopeOf(samples: readonly Sample[]): Slope {
  const count = samples.length;
  const meanAt = mean(samples.map(({ at }) => at));
  const meanValue = mean(samples.map(({ value }) => value));
  let spread = 0;
  let together = 0;
  for (const { at, value } of samples) {
    spread += (at - meanAt) ** 2;
    together += (at - meanAt) * (value - meanValue);
  }
  if (count < 3 || spread === 0) return { perUnit: 0, plusMinus: Number.POSITIVE_INFINITY };
  const perUnit = together / spread;
  let missed = 0;
  for (const { at, value } of samples) missed += (value - meanValue - perUnit * (at - meanAt)) ** 2;
  return { perUnit, plusMinus: quantile(count - 2) * Math.sqrt(missed / (count - 2) / spread) };
}

/** Student's 97.5 % quantile, accurate to about 2 % from three degrees of freedom on. */
function quantile(freedom: number): number {
  return 1.96 + 2.37 / freedom + 2.82 / freedom ** 2 + 2.56 / freedom ** 3;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
