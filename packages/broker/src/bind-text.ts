// An address with its settings as one text, for flags and environment variables: `tcp://*:55556?dialect=omdp&timeoutMs=5000`.

import { optionsIn } from "@pigato/peer";
import { BIND_SCHEMA, type Bind, listenersOf } from "./binds.ts";

/** @throws UsageError for an unknown setting or an invalid value */
export function readBind(text: string): string | Bind {
  const mark = text.indexOf("?");
  if (mark < 0) return text;
  const options = new Map(optionsIn(BIND_SCHEMA));
  const settings = [...new URLSearchParams(text.slice(mark + 1))].map(([name, value]) => ({
    [name]: options.get(name)?.fromText?.(value) ?? value,
  }));
  const bind: Bind = Object.assign({ address: text.slice(0, mark) }, ...settings);
  listenersOf(bind);
  return bind;
}
