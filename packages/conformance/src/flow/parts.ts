// The parts of the long replies that these suites send.

export const SERVICE = "rows";
/** For what takes next to no time, unless the machine is busy. */
export const PATIENTLY = { timeout: 10_000 } as const;

/** Numbered parts of this size, as text: `0:xxxx…`. */
export function part(number: number, bytes: number): string {
  return `${number}:`.padEnd(bytes, "x");
}

/** The number of a part. */
export function numberOf(value: unknown): number {
  return Number.parseInt(String(value), 10);
}
