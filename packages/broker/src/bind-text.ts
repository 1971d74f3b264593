// A bind as one text, for flags and variables: its address, and behind a `?` what is special about it, as in
// `tcp://*:55556?dialect=omdp&timeoutMs=5000`.

import { UsageError } from "@pigato/protocol";
import { type Bind, doorsOf } from "./binds.ts";

/** @throws UsageError for an unknown setting, or a bad value */
export function readBind(text: string): string | Bind {
  const mark = text.indexOf("?");
  if (mark < 0) return text;
  const settings = [...new URLSearchParams(text.slice(mark + 1))].map(([name, value]) => read(name, value));
  const bind: Bind = Object.assign({ address: text.slice(0, mark) }, ...settings);
  doorsOf(bind);
  return bind;
}

function read(name: string, value: string): Partial<Bind> {
  switch (name) {
    case "dialect":
      if (value === "omdp" || value === "butler") return { dialect: value };
      throw new UsageError(`a bind's dialect is omdp or butler, not ${JSON.stringify(value)}`);
    case "answersErrors":
      if (value === "true" || value === "false") return { answersErrors: value === "true" };
      throw new UsageError(`a bind's answersErrors is true or false, not ${JSON.stringify(value)}`);
    case "timeoutMs":
      // What is no number is refused with the rest, by its value.
      return { timeoutMs: value.trim() === "" ? Number.NaN : Number(value) };
    default:
      throw new UsageError(`a bind has no setting ${JSON.stringify(name)}`);
  }
}
