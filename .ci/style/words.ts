// Finds words that words.txt replaces.

export interface BannedWord {
  readonly line: number;
  readonly word: string;
  readonly replacement: string;
}

export interface WordList {
  /** Each banned word and what to write instead. */
  readonly replacements: ReadonlyMap<string, string>;
  /** Identifiers that may contain banned words. */
  readonly allowed: readonly string[];
}

/** @param list lines of "word: replacement" or "= allowed", comments and empty lines */
export function readWords(list: string): WordList {
  const replacements = new Map<string, string>();
  const allowed: string[] = [];
  for (const line of list.split("\n")) {
    const [word, replacement] = line.split(": ");
    if (line.startsWith("= ")) allowed.push(line.slice(2));
    else if (!line.startsWith("#") && word && replacement) replacements.set(word, replacement);
  }
  return { replacements, allowed };
}

export function findWords(text: string, { replacements, allowed }: WordList): BannedWord[] {
  const banned = new RegExp(`\\b(?:${[...replacements.keys()].join("|")})\\b`, "g");
  const ignored = new RegExp(`\\b(?:${["let(?= \\w+ *[:=;])", ...allowed].join("|")})\\b`, "g");
  return text.split("\n").flatMap((line, index) =>
    [...splitIdentifiers(line.replaceAll(ignored, "")).matchAll(banned)].map(([word]) => ({
      line: index + 1,
      word,
      replacement: replacements.get(word) ?? "",
    })),
  );
}

/** A line in lower case with a space between the words of an identifier: `ZapDesk.letIn` becomes `zap desk.let in`. */
function splitIdentifiers(line: string): string {
  return line
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replaceAll(/([A-Z])([A-Z][a-z])/g, "$1 $2")
    .replaceAll("_", " ")
    .toLowerCase();
}
