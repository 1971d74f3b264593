export type { Logger } from "@pigato/peer";
export {
  type CurveKey,
  type CurveKeyPair,
  type CurveServerOptions,
  curvePublicKey,
  LinkError,
  type LinkErrorCode,
  newCurveKeyPair,
} from "@pigato/transport";
export type { Bind, ListenerOptions, Listeners } from "./binds.ts";
export { Broker } from "./broker.ts";
export { newChannelAddress } from "./channel-address.ts";
export type { DispatchMode, WhenDeclined } from "./core/core-options.ts";
export type { CoreStats as BrokerStats } from "./core/core-stats.ts";
export type { ClientDownReason, DropReason, WorkerDownReason } from "./core/effects.ts";
export type { StoredRequest } from "./core/stored-request.ts";
export type { BrokerEvents, ConnectionRejected, RequestFailed } from "./events.ts";
export { type BrokerOptions, isBrokerOption } from "./options.ts";
export type { AuthRequest, ListenerRole } from "./security.ts";
export { MemoryStore, type RequestStore } from "./store.ts";
