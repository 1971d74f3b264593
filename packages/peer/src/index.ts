export { nextTick, queueMicrotask } from "@pigato/transport";
export { expectedAddress, isAddress, readService, resolveAddresses } from "./addresses.ts";
export { bodyCodecs, isRawValue } from "./codecs/body-codecs.ts";
export { excessOfValue } from "./codecs/encoded-size.ts";
export { encodeJson, rejectJsonLoss } from "./codecs/json-loss.ts";
export { isBlob } from "./codecs/uncarried.ts";
export { ConnectionWatch } from "./connection-watch.ts";
export { type Core, EffectLoop, type Shell, type Tick } from "./effect-loop.ts";
export { guarded, guardedLogger, guardedRandom, type Logger, newSilentLogger, throwAsync } from "./guard.ts";
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
  invalidValue,
  type OptionSchema,
  type OptionsOf,
  optionsIn,
  readOption,
  rejectUnknownOptions,
  resolveOptions,
  type SettingsOf,
} from "./options/resolve.ts";
export {
  connectionOptions,
  type DialectName,
  isRoutingIdText,
  notCarried,
  PeerSchema,
  prefixOption,
} from "./peer-schema.ts";
export {
  type PeerEvents,
  PeerRuntime,
  type RuntimeNotice,
} from "./runtime.ts";
export { resolvePeerSecurity, type SecurityOptions } from "./security.ts";
export type { LossReason } from "./session/connection.ts";
export { rejectionFor, withCurrentStack, withStackOf } from "./stacks.ts";
export { type Warnings, warningsOf } from "./warnings.ts";
