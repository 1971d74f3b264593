// Every relative link in the README files and the docs leads to a file, and if it names a part, to a heading of that name.
// (The build of the site finds dead links too, but knows neither parts nor files outside docs/.)

import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { pages, ROOT, textOf } from "./pages.ts";

/** What is generated when the site is built. */
const GENERATED = /^docs\/api(\/|$)/;

test.each(pages())("every link of %s leads somewhere", (page) => {
  const dead = linksOf(textOf(page)).filter((link) => !leadsSomewhere(page, link));
  expect(dead).toEqual([]);
});

function leadsSomewhere(page: string, link: string): boolean {
  const [path = "", part] = link.split("#");
  const target = path === "" ? page : join(dirname(page), path);
  if (GENERATED.test(target)) return true;
  if (target.startsWith("..") || !existsSync(join(ROOT, target))) return false;
  if (part === undefined) return true;
  return statSync(join(ROOT, target)).isFile() && headingsOf(textOf(target)).includes(part);
}

function linksOf(text: string): string[] {
  return [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = ""]) => link)
    .filter((link) => !/^[a-z]+:/.test(link));
}

/** The names by which headings can be linked to. */
function headingsOf(text: string): string[] {
  return [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{Letter}\p{Number}\s_-]/gu, "")
      .trim()
      .replaceAll(/\s/g, "-"),
  );
}

function withoutCode(text: string): string {
  return text.replaceAll(/^```.*?^```$/gms, "").replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()]/g, ""));
}
