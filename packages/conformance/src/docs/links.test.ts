// Every link to a file of this repository, relative or absolute, leads to an existing file and, with a `#part`, to an
// existing heading. (The build of the site finds dead links too, but checks neither parts nor files outside docs/.)
// The READMEs of packages are shown on npm, where relative links are dead, so all their links are absolute.

import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { pages, ROOT, textOf } from "./pages.ts";

const REPOSITORY = /^https:\/\/github\.com\/pigato\/pigato\/(?:blob|tree)\/main\//;
/** Generated with the site. */
const GENERATED = /^docs\/api(\/|$)/;

test.each(pages())("every link in %s to a file of this repository works", (page) => {
  const dead = linksOf(textOf(page)).filter((link) => isInRepository(link) && !leadsSomewhere(page, link));
  expect(dead).toEqual([]);
});

test.each(pages().filter((page) => page.startsWith("packages/")))("%s has no relative links", (page) => {
  expect(linksOf(textOf(page)).filter((link) => !/^([a-z]+:|#)/.test(link))).toEqual([]);
});

function isInRepository(link: string): boolean {
  return REPOSITORY.test(link) || !/^[a-z]+:/.test(link);
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = "", part] = link.replace(REPOSITORY, "").split("#");
  const folder = REPOSITORY.test(link) ? "" : dirname(page);
  const target = path === "" ? page : join(folder, path);
  if (GENERATED.test(target)) return true;
  if (target.startsWith("..") || !existsSync(join(ROOT, target))) return false;
  if (part === undefined) return true;
  return statSync(join(ROOT, target)).isFile() && headingsOf(textOf(target)).includes(part);
}

function linksOf(text: string): string[] {
  return [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
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
