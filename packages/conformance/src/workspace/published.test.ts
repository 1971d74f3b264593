// What every published package contains besides its code.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const REPOSITORY = "https://github.com/pigato/pigato";
const PACKAGES = fileURLToPath(new URL("../../../", import.meta.url));

const published = readdirSync(PACKAGES).filter((name) => existsSync(join(PACKAGES, name)) && !manifest(name).private);

test("the client, the worker and the broker are published", () => {
  expect(published).toEqual(expect.arrayContaining(["client", "worker", "broker"]));
});

test.each(published)("%s carries the MIT license and has a place for its changelog", (name) => {
  expect(manifest(name)).toMatchObject({ license: "MIT", files: expect.arrayContaining(["CHANGELOG.md"]) });
  expect(readFileSync(join(PACKAGES, name, "LICENSE"), "utf8")).toContain("MIT License");
  expect(existsSync(join(PACKAGES, name, "README.md"))).toBe(true);
});

test.each(published)("%s names its author, its repository and its bug tracker", (name) => {
  expect(manifest(name)).toMatchObject({
    author: "PIGATO contributors",
    homepage: `${REPOSITORY}/tree/main/packages/${name}#readme`,
    repository: { type: "git", url: `git+${REPOSITORY}.git`, directory: `packages/${name}` },
    bugs: { url: `${REPOSITORY}/issues` },
  });
});

test("a changelog is written by changesets", () => {
  const settings: unknown = JSON.parse(readFileSync(join(PACKAGES, "../.changeset/config.json"), "utf8"));
  expect(settings).toMatchObject({ changelog: "@changesets/cli/changelog" });
});

function manifest(name: string): { readonly private?: boolean } {
  return JSON.parse(readFileSync(join(PACKAGES, name, "package.json"), "utf8"));
}
