// Arguments that several commands share.

/** The only argument of most commands: the number of rounds. @throws Error if it is not a positive integer */
export function parseRounds(args: readonly string[], defaultRounds: number): number {
  const [text = String(defaultRounds), ...rest] = args;
  if (rest.length > 0) throw new Error(`unexpected argument "${rest[0]}": this command takes only a number of rounds`);
  return parsePositive(text, "rounds");
}

/** @throws Error if the text is not a positive integer */
export function parsePositive(text: string, name: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`${name} must be a positive integer, not "${text}"`);
}

/** @throws Error if the text is not a number of at least 0 */
export function parseSeconds(text: string, name: string): number {
  const number = Number(text);
  if (text.trim() !== "" && number >= 0) return number;
  throw new Error(`${name} must be a number of at least 0, not "${text}"`);
}

/** The arguments as a shell reads them. */
export function quoted(args: readonly string[]): string {
  return args.map((word) => (/^[\w.,/=:~^-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ");
}
