// The transports of this package, by name.

import { AutomaticDealer } from "./automatic/dealer.ts";
import { AutomaticPublisher } from "./automatic/publisher.ts";
import { AutomaticRouter } from "./automatic/router.ts";
import { AutomaticSubscriber } from "./automatic/subscriber.ts";
import { LibzmqDealer } from "./libzmq/dealer.ts";
import { LibzmqPublisher } from "./libzmq/publisher.ts";
import { LibzmqRouter } from "./libzmq/router.ts";
import { LibzmqSubscriber } from "./libzmq/subscriber.ts";
import type { Transport } from "./link.ts";
import { ZmtpDealer } from "./zmtp/dealer.ts";
import { ZmtpPublisher } from "./zmtp/publisher.ts";
import { ZmtpRouter } from "./zmtp/router.ts";
import { ZmtpSubscriber } from "./zmtp/subscriber.ts";

/** ZMTP 3.1 in TypeScript over Node's sockets, tcp and ipc, with the mechanisms NULL and PLAIN. It throws a TypeError for CURVE. */
export const zmtp: Transport = {
  isSecurable: "without-curve",
  router: (handlers, options) => new ZmtpRouter(handlers, options),
  dealer: (handlers, options) => new ZmtpDealer(handlers, options),
  publisher: (handlers, options) => new ZmtpPublisher(handlers, options),
  subscriber: (handlers, options) => new ZmtpSubscriber(handlers, options),
};

/**
 * libzmq, through the package `zeromq`. All links share its global context, so other users of that package in the process can
 * reach them over inproc. The context allows 1023 sockets unless changed before the first is created. A dealer or a subscriber
 * takes three, a router or a publisher one, and two more while it closes.
 */
export const libzmq: Transport = {
  isSecurable: true,
  router: (handlers, options) => new LibzmqRouter(handlers, options),
  dealer: (handlers, options) => new LibzmqDealer(handlers, options),
  publisher: (handlers, options) => new LibzmqPublisher(handlers, options),
  subscriber: (handlers, options) => new LibzmqSubscriber(handlers, options),
};

/** `zmtp` for `tcp://` and `ipc://`, `libzmq` for `inproc://` and with `security`. One router or publisher may listen on both. */
export const automatic: Transport = {
  isSecurable: true,
  router: (handlers, options) => new AutomaticRouter(handlers, options),
  dealer: (handlers, options) => new AutomaticDealer(handlers, options),
  publisher: (handlers, options) => new AutomaticPublisher(handlers, options),
  subscriber: (handlers, options) => new AutomaticSubscriber(handlers, options),
};

export type TransportName = "libzmq" | "zmtp";

/** A transport of this package by name, or any other transport. */
export type TransportChoice = Transport | TransportName;

/** Resolves the option `transport`: `automatic` by default; `undefined` for an invalid value. */
export function resolveTransport(choice: unknown): Transport | undefined {
  switch (choice) {
    case undefined:
      return automatic;
    case "libzmq":
      return libzmq;
    case "zmtp":
      return zmtp;
    default:
      return isTransport(choice) ? choice : undefined;
  }
}

function isTransport(value: unknown): value is Transport {
  if (typeof value !== "object" || value === null) return false;
  return typeof Reflect.get(value, "router") === "function" && typeof Reflect.get(value, "dealer") === "function";
}
