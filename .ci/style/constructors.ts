// Finds constructors and counts their parameters.

export interface Constructor {
  readonly line: number;
  readonly parameters: number;
}

export function findConstructors(text: string): Constructor[] {
  return [...text.matchAll(/^\s+(?:(?:private|protected|public) )?constructor\(/gm)].map(({ 0: start, index }) => ({
    line: text.slice(0, index + start.length).split("\n").length,
    parameters: countParameters(text.slice(index + start.length)),
  }));
}

/** @param text what follows the opening parenthesis of a list of parameters */
function countParameters(text: string): number {
  let depth = 0;
  let parameters = 0;
  let isBetween = true;
  // Comments and strings may hold any bracket; the ">" of an arrow closes nothing.
  for (const [token] of text.matchAll(/\/\*[\s\S]*?\*\/|\/\/.*|"[^"\n]*"|=>|\S/g)) {
    if (/^\/[*/]/.test(token)) continue;
    if (depth === 0 && token === ")") break;
    if (depth === 0 && token === ",") {
      isBetween = true;
      continue;
    }
    if (isBetween) parameters += 1;
    isBetween = false;
    if (/^[([{<]$/.test(token)) depth += 1;
    if (/^[)\]}>]$/.test(token)) depth -= 1;
  }
  return parameters;
}
