export type { Bind, Side, Sides } from "./binds.ts";
export { Broker } from "./broker.ts";
export { newChannelAddress } from "./channel-address.ts";
export type { CoreStats as BrokerStats } from "./core/core.ts";
export type { DispatchMode, WhenDeclined } from "./core/core-options.ts";
export type { ClientDownReason, DropReason, WorkerDownReason } from "./core/effects.ts";
export type { BrokerEvents, RequestFailed } from "./events.ts";
export { type BrokerOptions, isBrokerOption } from "./options.ts";
