// The pages for readers: README files, CONTRIBUTING, and the sources of the site.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT: string = fileURLToPath(new URL("../../../../", import.meta.url));

/** Installed or generated files below docs/. */
const NOT_OURS = /^(node_modules|api|\.vitepress)\//;

/** Paths from the root of the repository. */
export function pages(): string[] {
  const readmes = ["packages", "apps"].flatMap((group) =>
    readdirSync(join(ROOT, group)).map((name) => join(group, name, "README.md")),
  );
  const docs = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md") && !NOT_OURS.test(file))
    .map((file) => join("docs", file));
  return ["README.md", "CONTRIBUTING.md", ...readmes, ...docs].filter((page) => existsSync(join(ROOT, page))).sort();
}

/** @param page a path from the root */
export function textOf(page: string): string {
  return readFileSync(join(ROOT, page), "utf8");
}
