export { type Core, EffectLoop, type Shell, type Tick } from "./effect-loop.ts";
export { guarded, throwAsync } from "./guard.ts";
export { type Flag, flagsOf } from "./options/flags.ts";
export {
  bit,
  boolean,
  callable,
  choice,
  custom,
  integer,
  milliseconds,
  type Option,
  objectWith,
  optionalCallable,
  type StrictOption,
  strict,
  text,
} from "./options/option.ts";
export {
  type OptionSchema,
  type OptionsOf,
  optionsIn,
  readOption,
  resolveOptions,
  type SettingsOf,
} from "./options/resolve.ts";
export { resolvePeerSecurity, type SecurityOptions } from "./security.ts";
