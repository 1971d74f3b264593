// The package `zeromq`, loaded when the first link over libzmq is made: its binary and its thread are not for those who
// need neither. Loading has to be synchronous, as making a link is.

import { createRequire } from "node:module";

type Zeromq = typeof import("zeromq");

const require = createRequire(import.meta.url);

export function zeromq(): Zeromq {
  return require("zeromq");
}
