export { automatic } from "./automatic/index.ts";
export { chosenTransport, type TransportChoice, type TransportName } from "./choice.ts";
export { type Alarm, type Clock, systemClock } from "./clock.ts";
export { asBytes, type FramesToSend, type FrameToSend } from "./frames-to-send.ts";
export { libzmq } from "./libzmq/index.ts";
export {
  DEFAULT_LINK_LIMITS,
  type DealerHandlers,
  type DealerLink,
  type DealerOptions,
  type Frames,
  LinkError,
  type LinkErrorCode,
  type LinkLimits,
  type PeerFacts,
  type PublisherHandlers,
  type PublisherLink,
  type PublisherOptions,
  type Refusal,
  type RefusalCode,
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
export type { Applicant, Mechanism } from "./security/applicant.ts";
export {
  type CurveKey,
  type CurveKeyPair,
  curvePublicKey,
  newCurveKeyPair,
  readCurveKey,
} from "./security/curve-keys.ts";
export {
  type Check,
  type CurveOptions,
  type CurveServerOptions,
  PeerSecurity,
  type PlainOptions,
  ServerSecurity,
} from "./security/security.ts";
export { zmtp } from "./zmtp/index.ts";
