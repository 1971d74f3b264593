// Programs that tests write, such as those of the documentation.

import { pathToFileURL } from "node:url";
import { transformSync } from "rolldown/utils";
import { CLASSIC, libraries } from "./bundle-programs.ts";
import { bundleOf } from "./programs.ts";

const IMPORTED = /(?<=\b(?:from|import) ?\(? ?)"([^"\n]+)"/g;
const REQUIRED = /(?<=\()"pigato"(?=\))/g;

/** JavaScript of a module in TypeScript that imports packages of this repository. `optionsForImports` runs it. */
export function compileSnippet(code: string): string {
  const { code: compiled, errors } = transformSync("snippet.mts", code);
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join("\n"));
  const classic = bundleOf(CLASSIC)?.replace(/\.js$/, ".cjs");
  return compiled
    .replaceAll(IMPORTED, (text, specifier: string) => {
      const source = libraries().get(specifier);
      const bundle = source === undefined ? undefined : bundleOf(source);
      return bundle === undefined ? text : JSON.stringify(pathToFileURL(bundle).href);
    })
    .replaceAll(REQUIRED, JSON.stringify(classic ?? "pigato"));
}
