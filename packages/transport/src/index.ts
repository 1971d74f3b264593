export { type FramesToSend, type FrameToSend, toBytes } from "./byte-strings.ts";
export { type Alarm, type Clock, systemClock } from "./clock.ts";
export { removeDeadSockets } from "./ipc-path.ts";
export {
  type ConnectionRejection,
  DEFAULT_LINK_LIMITS,
  type DealerHandlers,
  type DealerLink,
  type DealerOptions,
  type Frames,
  isLinkError,
  LinkError,
  type LinkErrorCode,
  type LinkLimits,
  type OversizedMessage,
  type PeerFacts,
  type PublisherHandlers,
  type PublisherLink,
  type PublisherOptions,
  type RejectionCode,
  type RouterHandlers,
  type RouterLink,
  type RouterOptions,
  type SendOptions,
  type SendOutcome,
  type SubscriberHandlers,
  type SubscriberLink,
  type SubscriberOptions,
  type Transport,
} from "./link.ts";
export type { Authentication, AuthRequest, Mechanism } from "./security/auth-request.ts";
export {
  type CurveKey,
  type CurveKeyPair,
  curvePublicKey,
  newCurveKeyPair,
  readCurveKey,
} from "./security/curve-keys.ts";
export {
  type CurveOptions,
  type CurveServerOptions,
  PeerSecurity,
  type PlainOptions,
  ServerSecurity,
} from "./security/link-security.ts";
export { nextTick, queueMicrotask, setImmediate, wallClock } from "./timers.ts";
export {
  automatic,
  libzmq,
  resolveTransport,
  type TransportChoice,
  type TransportName,
  zmtp,
} from "./transports.ts";
export { type PullerHandlers, ZmtpPuller } from "./zmtp/puller.ts";
export { type PusherHandlers, type PusherLimits, ZmtpPusher } from "./zmtp/pusher.ts";
