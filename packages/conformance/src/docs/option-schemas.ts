// Option schemas at run time: a schema is a class with one field per option.

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Option, optionsIn } from "@pigato/peer";
import { ROOT } from "./pages.ts";

type AnyOption = Option<unknown, unknown>;

/** The options of a schema, by name. @param file a path from the root */
export async function optionsOf(file: string, schema: string): Promise<ReadonlyMap<string, AnyOption>> {
  const module: Readonly<Record<string, new () => Record<string, AnyOption>>> = await import(
    pathToFileURL(join(ROOT, file)).href
  );
  const Schema = module[schema];
  if (Schema === undefined) throw new Error(`${file} does not export ${schema}`);
  return new Map(optionsIn(new Schema()));
}

/** The values that an option accepts: `10 to 60 000 ms`. */
export function allowedValues(option: AnyOption | undefined): string {
  if (option === undefined) return "–";
  const { type, min, max, unit, choices, expected } = option;
  if (choices !== undefined) return choices.map((choice) => `\`${choice}\``).join(", ");
  if (type === "boolean") return expected;
  if (min === undefined || max === undefined) return expected;
  const bounds = max === Number.MAX_SAFE_INTEGER ? `${grouped(min)} or more` : `${grouped(min)} to ${grouped(max)}`;
  return unit === undefined ? bounds : `${bounds} ${unit}`;
}

/** `60 000`. Numbers below 10 000 have no space, as in the doc comments. */
function grouped(value: number): string {
  if (value < 10_000) return String(value);
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, " ");
}
