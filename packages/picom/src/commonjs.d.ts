// The types of `require("@pigato/picom")`: the class itself, which also holds the names of the types. Of the same names as index.ts.
// TypeScript that compiles to CommonJS writes `import Picom = require("@pigato/picom")`.

import type * as options from "./options.ts";
import type * as picom from "./picom.ts";

declare const Picom: typeof picom.Picom;
type Picom = picom.Picom;

declare namespace Picom {
  type PicomOptions = options.PicomOptions;
  type FetchTarget = picom.FetchTarget;
  type InStream = picom.InStream;
  type OutStream = picom.OutStream;
  type PicomError = picom.PicomError;
  type PicomMethod = picom.PicomMethod;
  type PicomStream = picom.PicomStream;
  type PicomTarget = picom.PicomTarget;
}

export = Picom;
