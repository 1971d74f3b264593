// Finds words that words.txt replaces.

export interface BannedWord {
  readonly line: number;
  readonly word: string;
  readonly replacement: string;
}

/** @param list lines of "word: replacement", comments and empty lines */
export function readWords(list: string): ReadonlyMap<string, string> {
  const words = new Map<string, string>();
  for (const line of list.split("\n")) {
    const [word, replacement] = line.split(": ");
    if (!line.startsWith("#") && word && replacement) words.set(word, replacement);
  }
  return words;
}

export function findWords(text: string, words: ReadonlyMap<string, string>): BannedWord[] {
  const pattern = new RegExp(`\\b(?:${[...words.keys()].join("|")})\\b`, "g");
  return text.split("\n").flatMap((line, index) =>
    [...splitIdentifiers(line).matchAll(pattern)].map(([word]) => ({
      line: index + 1,
      word,
      replacement: words.get(word) ?? "",
    })),
  );
}

/** A line in lower case with a space between the words of an identifier: `ZapDesk.letIn` becomes `zap desk.let in`. */
function splitIdentifiers(line: string): string {
  return line
    .replaceAll(/\blet (?=\w+ *[:=;])/g, "") // the keyword
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replaceAll(/([A-Z])([A-Z][a-z])/g, "$1 $2")
    .replaceAll("_", " ")
    .toLowerCase();
}
