// The broker's core by itself. Its package keeps it to itself, and a measurement of it alone is the one reason to reach
// past that: this is the only file that does.

export { BrokerCore } from "../../../packages/broker/src/core/core.ts";
export type { CoreOptions, DispatchMode } from "../../../packages/broker/src/core/core-options.ts";
export type { Effect } from "../../../packages/broker/src/core/effects.ts";
