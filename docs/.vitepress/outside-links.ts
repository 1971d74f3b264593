// Pages link to sources and tests by relative paths, which work wherever the repository is shown. The site holds no
// sources: there, such a link becomes the path in the repository, as text.

import { posix, relative } from "node:path";
import type { MarkdownRenderer } from "vitepress";

/** @param docs the folder of the pages, with a slash at its end */
export function withoutLinksOutside(markdown: MarkdownRenderer, docs: string): void {
  markdown.core.ruler.push("links-outside", (state) => {
    const page = relative(docs, String(Reflect.get(state.env, "path")));
    for (const { children } of state.tokens) {
      let isOutside = false;
      for (const token of children ?? []) {
        if (token.type === "link_open") {
          const path = outside(posix.dirname(page), String(token.attrGet("href")));
          isOutside = path !== undefined;
          if (path === undefined) continue;
          token.tag = "span";
          token.attrs = [["title", path]];
        } else if (token.type === "link_close" && isOutside) {
          token.tag = "span";
          isOutside = false;
        }
      }
    }
  });
}

/** The path in the repository that a link leads to, if that is not within the pages. */
function outside(folder: string, target: string): string | undefined {
  if (/^([a-z]+:|#|\/)/.test(target)) return undefined;
  const path = posix.join("docs", folder, target);
  return path.startsWith("docs/") ? undefined : path;
}
