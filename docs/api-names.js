// A TypeDoc plugin: calls every module by the name of its package, `@pigato/client` rather than `client/src`.

import { readFileSync } from "node:fs";
import { Converter, ReflectionKind } from "typedoc";

/** @param {import("typedoc").Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (_context, reflection) => {
    const [source] = reflection.kind === ReflectionKind.Module ? (reflection.sources ?? []) : [];
    const folder = /^(.*)\/src\/index\.ts$/.exec(source?.fullFileName ?? "")?.[1];
    if (folder !== undefined) reflection.name = JSON.parse(readFileSync(`${folder}/package.json`, "utf8")).name;
  });
}
