// Invariants of the code under test, checked while it runs.

/** Throws if an invariant does not hold. */
export function invariant(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(`broken invariant: ${otherwise}`);
}

/** The first failure of checks that run within the code under test. It continues, and the test fails at its end. */
export class CheckFailure {
  #first: { readonly error: unknown } | undefined;

  /** Runs a check, unless an earlier one of this test has failed. */
  collect(check: () => void): void {
    if (this.#first !== undefined) return;
    try {
      check();
    } catch (error) {
      this.#first = { error };
    }
  }

  /** Call after each test. */
  throw(): void {
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined) throw first.error;
  }
}
