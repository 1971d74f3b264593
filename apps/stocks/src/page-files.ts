// The files of the page, read once: no request can reach any other file.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

interface PageFile {
  readonly type: string;
  readonly content: string;
}

export interface PageFiles {
  /** By path. */
  readonly files: ReadonlyMap<string, PageFile>;
  /** Allows only these files: no other origin, and no inline script except the import map. */
  readonly contentSecurityPolicy: string;
}

const STATIC = join(import.meta.dirname, "../src/page");
/** Written by the build; used also when this file runs from source. */
const COMPILED = join(import.meta.dirname, "../dist/page");

export function pageFiles(): PageFiles {
  const uplot = dirname(createRequire(import.meta.url).resolve("uplot"));
  const html = readFileSync(join(STATIC, "index.html"), "utf8");
  const files = new Map<string, PageFile>([
    ["/", { type: "text/html; charset=utf-8", content: html }],
    ["/style.css", { type: "text/css; charset=utf-8", content: read(STATIC, "style.css") }],
    ["/favicon.svg", { type: "image/svg+xml", content: read(STATIC, "favicon.svg") }],
    ["/uplot.css", { type: "text/css; charset=utf-8", content: read(uplot, "uPlot.min.css") }],
    ["/uplot.js", { type: "text/javascript; charset=utf-8", content: read(uplot, "uPlot.esm.js") }],
  ]);
  for (const name of readdirSync(COMPILED).filter((file) => file.endsWith(".js"))) {
    files.set(`/page/${name}`, { type: "text/javascript; charset=utf-8", content: read(COMPILED, name) });
  }
  const importMap = /<script type="importmap">(.*?)<\/script>/s.exec(html)?.[1] ?? "";
  const hash = createHash("sha256").update(importMap).digest("base64");
  return {
    files,
    contentSecurityPolicy: [
      "default-src 'none'",
      `script-src 'self' 'sha256-${hash}'`,
      "style-src 'self'",
      "img-src 'self'",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
    ].join("; "),
  };
}

function read(folder: string, name: string): string {
  return readFileSync(join(folder, name), "utf8");
}
