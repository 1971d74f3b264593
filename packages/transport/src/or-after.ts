/** The longest time that a timer, and libzmq, can be given: some 25 days, in milliseconds. */
export const LONGEST_MS = 0x7fff_ffff;

/** Resolves with `promise`, or after `ms` milliseconds, whichever comes first. */
export async function orAfter(ms: number, promise: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.min(ms, LONGEST_MS));
  });
  await Promise.race([promise, over]);
  clearTimeout(timer);
}
