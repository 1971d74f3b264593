// Values that no codec carries, and how an error names the place of one: `data.items[3].when`.

import { types } from "node:util";

/** A property, an index, or the key of an entry of a Map. */
export type PathStep = string | number | { readonly mapKey: unknown };

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

export function shownPath(steps: readonly PathStep[]): string {
  return `data${steps.map(shownStep).join("")}`;
}

function shownStep(step: PathStep): string {
  if (typeof step === "number") return `[${step}]`;
  if (typeof step === "string") return IDENTIFIER.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  const { mapKey } = step;
  const isShown = typeof mapKey === "string" || typeof mapKey === "number";
  return `.get(${isShown ? JSON.stringify(mapKey) : "…"})`;
}

/** What an object is whose content is not in its properties, and which no codec carries. */
export function uncarried(value: object): string | undefined {
  if (types.isPromise(value)) return "a Promise: await it";
  if (types.isRegExp(value)) return "a RegExp: send its source";
  if (types.isSharedArrayBuffer(value)) return "a SharedArrayBuffer: copy it";
  if (types.isWeakMap(value) || types.isWeakSet(value)) return "a collection of weak references";
  if (types.isGeneratorObject(value)) return "a generator: collect its values";
  return isBlob(value) ? "a Blob: send its bytes" : undefined;
}

/** A Blob or a File of any realm. */
export function isBlob(value: unknown): value is Blob {
  const tag = Object.prototype.toString.call(value);
  return tag === "[object Blob]" || tag === "[object File]";
}
