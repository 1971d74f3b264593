// Bundles the programs that tests start as processes of their own. Node starts a bundle in a fraction of the time that it takes to
// compile and load its sources one by one.
//
// `import.meta.url`, `import.meta.dirname` and `__filename` in a bundle are those of the source, whose files they find.
// `import.meta.filename` is that of the bundle: it finds other programs to start.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { type OutputOptions, type Plugin, rolldown } from "rolldown";
import { ROOT } from "./programs.ts";

/** Programs, by their paths below the sources of a package. */
const PROGRAMS: Readonly<Record<string, RegExp>> = {
  packages: /^(bin|.*-main|.*link-process)\.ts$/,
  apps: /^(main|broker|worker|client|upload|web|demo|(core|broker|frames|transport|compare)\/[\w-]+)\.ts$/,
};
/** It is also bundled for programs in CommonJS. */
export const CLASSIC: string = join(ROOT, "packages/pigato/src/index.ts");
const IN_A_PACKAGE = /^(?!node:)[^./]/;
const LOCATION = /\bimport\.meta\.(url|dirname|filename)\b|\b__filename\b/g;
/** Packages of this repository, and those that exist only as ES modules, which CommonJS cannot load everywhere. */
const BUNDLED = /^(@pigato\/.*|pigato|nanoid|tinyqueue)$/;

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, string | { readonly "@pigato/source": string }>>;
}

/** @param folder receives the bundles, each at the path of its source below the root */
export async function bundlePrograms(folder: string): Promise<void> {
  const esm: OutputOptions = { format: "esm", entryFileNames: "[name].js", chunkFileNames: "shared/[name]-[hash].js" };
  await bundle([...programs(), ...libraries().values()], esm, folder);
  const footer = 'module.exports = exports["module.exports"];';
  await bundle([CLASSIC], { format: "cjs", exports: "named", entryFileNames: "[name].cjs", footer }, folder);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
}

/** The modules that the published packages export: their sources, by specifier. */
export function libraries(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const folder of foldersIn("packages")) {
    const {
      name,
      private: isPrivate = false,
      exports = {},
    }: Manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    if (isPrivate) continue;
    for (const [path, target] of Object.entries(exports)) {
      const source = typeof target === "string" ? target : target["@pigato/source"];
      if (source.endsWith(".ts")) found.set(join(name, path), join(folder, source));
    }
  }
  return found;
}

function programs(): string[] {
  return Object.entries(PROGRAMS).flatMap(([group, paths]) =>
    foldersIn(group)
      .map((folder) => join(folder, "src"))
      .filter(existsSync)
      .flatMap((sources) =>
        readdirSync(sources, { recursive: true, encoding: "utf8" })
          .filter((path) => paths.test(path))
          .map((path) => join(sources, path)),
      ),
  );
}

function foldersIn(group: string): string[] {
  return readdirSync(join(ROOT, group)).map((name) => join(ROOT, group, name));
}

async function bundle(sources: readonly string[], output: OutputOptions, folder: string): Promise<void> {
  const build = await rolldown({
    input: Object.fromEntries(sources.map((source) => [relative(ROOT, source).replace(/\.ts$/, ""), source])),
    platform: "node",
    resolve: { conditionNames: ["@pigato/source", "node", "import"] },
    treeshake: { moduleSideEffects: true },
    plugins: [leaveOthers, keepLocations(folder)],
    logLevel: "silent",
  });
  await build.write({ ...output, dir: folder, sourcemap: true });
  await build.close();
}

/** Other packages are loaded from where the source finds them. */
const leaveOthers: Plugin = {
  name: "leave-others",
  resolveId: {
    filter: { id: IN_A_PACKAGE },
    async handler(specifier, importer, options) {
      if (BUNDLED.test(specifier) || importer === undefined) return null;
      const found = await this.resolve(specifier, importer, { ...options, skipSelf: true });
      return found === null ? null : { id: found.id, external: true };
    },
  },
};

function keepLocations(folder: string): Plugin {
  return {
    name: "keep-locations",
    transform: {
      filter: { code: LOCATION },
      handler: (code, source) =>
        code.replaceAll(LOCATION, (_text, meta = "filename of CommonJS") => {
          const file = meta === "filename" ? join(folder, relative(ROOT, source)).replace(/\.ts$/, ".js") : source;
          if (meta === "url") return JSON.stringify(pathToFileURL(file).href);
          return JSON.stringify(meta === "dirname" ? dirname(file) : file);
        }),
    },
  };
}
