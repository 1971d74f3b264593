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
export { zmtp } from "./zmtp/index.ts";
