import { Picom } from "./picom.ts";

export type { PicomOptions } from "./options.ts";
export type { FetchTarget, InStream, OutStream, PicomError, PicomMethod, PicomStream, PicomTarget } from "./picom.ts";
// With this last name, `require()` returns the class itself, as in the original.
export { Picom, Picom as default, Picom as "module.exports" };
