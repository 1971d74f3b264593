// Builds the CommonJS form of the package in the current folder from its compiled ES modules: `dist/commonjs`, one file for each
// entry and what they share, with types. Also writes the types so that TypeScript 5.0 reads them.

import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { rolldown } from "rolldown";

const DIST = "dist";
const TARGET = join(DIST, "commonjs");
/** Included, because they exist only as ES modules, which CommonJS cannot load everywhere: jest cannot. */
const INCLUDED = new Set(["nanoid", "tinyqueue"]);
/** The types of a package whose CommonJS form exports one object. */
const OWN_TYPES = "src/commonjs.d.ts";

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly import: { readonly default: string } }>>;
}

const { exports }: Manifest = JSON.parse(readFileSync("package.json", "utf8"));
const entries = Object.values(exports).flatMap((target) => (typeof target === "string" ? [] : [target.import.default]));

rmSync(TARGET, { recursive: true, force: true });
for (const file of readdirSync(DIST, { recursive: true, encoding: "utf8" })) {
  if (file.endsWith(".d.ts")) rewriteTypes(join(DIST, file));
}
await bundle();
writeFileSync(join(TARGET, "package.json"), '{ "type": "commonjs" }\n');
for (const file of reachableTypes(entries.map((entry) => join(entry).replace(/\.js$/, ".d.ts")))) {
  copy(file, join(TARGET, relative(DIST, file)));
}
if (existsSync(OWN_TYPES)) {
  copyFileSync(OWN_TYPES, join(TARGET, "index.d.ts"));
  rewriteTypes(join(TARGET, "index.d.ts"));
}

async function bundle(): Promise<void> {
  const build = await rolldown({
    input: Object.fromEntries(entries.map((entry) => [relative(DIST, entry).replace(/\.js$/, ""), entry])),
    platform: "node",
    external: (id) => /^[^./]/.test(id) && !INCLUDED.has(id),
    onLog: (level, { message }) => {
      if (level === "warn") throw new Error(message);
    },
  });
  const { output } = await build.write({
    dir: TARGET,
    format: "cjs",
    exports: "named",
    entryFileNames: "[name].js",
    chunkFileNames: "shared.js",
    footer: ({ exports: names }) =>
      names.includes("module.exports") ? 'module.exports = exports["module.exports"];' : "",
  });
  await build.close();
  const modules = output.flatMap((chunk) => (chunk.type === "chunk" ? chunk.moduleIds : []));
  for (const name of INCLUDED) {
    const license = join("node_modules", name, "LICENSE");
    if (modules.some((id) => id.includes(`/node_modules/${name}/`))) copy(license, join(TARGET, `LICENSE-${name}`));
  }
}

/** Older compilers know neither the ending `.ts` of an import nor text as the name of an export. */
function rewriteTypes(file: string): void {
  const text = readFileSync(file, "utf8")
    .replaceAll(/((?:from |import\()"\.[^"]*)\.ts"/g, '$1.js"')
    .replaceAll(/, \w+ as "module\.exports"|(?<=\{) \w+ as "module\.exports",/g, "");
  writeFileSync(file, text);
}

/** These files of types, and those that they import from this package. */
function reachableTypes(files: readonly string[]): ReadonlySet<string> {
  const reached = new Set(files);
  for (const file of reached) {
    for (const [, specifier = ""] of readFileSync(file, "utf8").matchAll(/(?:from |import\()"(\.[^"]*)\.js"/g)) {
      reached.add(join(dirname(file), `${specifier}.d.ts`));
    }
  }
  return reached;
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}
