// How the search of the site ranks pages: what a user does comes before what a maintainer wants to know.

/**
 * Multiplies the score of a page or of one of its sections. The site sends the source of this function to the browser, so it uses
 * nothing outside of itself.
 * @param id the path of the page, with `#` and the section
 */
export function boostDocument(id: string): number {
  const boosts: readonly (readonly [folder: string, boost: number])[] = [
    ["tutorials/", 2],
    ["how-to/", 2],
    ["reference/protocol", 0.4],
    ["reference/dialects", 0.5],
    ["reference/", 1.5],
    ["explanation/promises", 0.1],
    ["explanation/architecture", 0.3],
    ["explanation/", 1.5],
    ["decisions/", 0.2],
    ["benchmarks/", 0.3],
    ["api/", 0.2],
  ];
  return boosts.find(([folder]) => id.includes(`/${folder}`))?.[1] ?? 1;
}
