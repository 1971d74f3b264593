// Suggests the nearest known name for a misspelled one.

/** @returns the known name with the least edit distance, if at most a third of its letters differ */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  let nearest: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance < least && distance <= Math.max(1, candidate.length / 3)) {
      nearest = candidate;
      least = distance;
    }
  }
  return nearest;
}

/** Damerau-Levenshtein distance (optimal string alignment): two letters that changed places count as one error. */
function editDistance(left: string, right: string): number {
  const rows = [Array.from({ length: right.length + 1 }, (_, index) => index)];
  for (let row = 1; row <= left.length; row++) {
    const at = (above: number, column: number): number => rows[row - above]?.[column] ?? Number.POSITIVE_INFINITY;
    const current = [row];
    rows.push(current);
    for (let column = 1; column <= right.length; column++) {
      const replace = left[row - 1] === right[column - 1] ? 0 : 1;
      const isSwapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      const swap = isSwapped && row > 1 ? at(2, column - 2) + 1 : Number.POSITIVE_INFINITY;
      current.push(Math.min(at(1, column) + 1, at(0, column - 1) + 1, at(1, column - 1) + replace, swap));
    }
  }
  return rows.at(-1)?.at(-1) ?? 0;
}
