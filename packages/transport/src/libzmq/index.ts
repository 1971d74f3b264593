// Links over libzmq, by the package `zeromq`. All of them live in its global context, so that other users of that package
// in the same process can meet them over inproc. The context allows 1023 sockets unless told otherwise before its first
// one is made; a dealer or a subscriber takes three of them, a router or a publisher one, and two more while it closes.

import type { Transport } from "../link.ts";
import { LibzmqDealer } from "./dealer.ts";
import { LibzmqPublisher } from "./publisher.ts";
import { LibzmqRouter } from "./router.ts";
import { LibzmqSubscriber } from "./subscriber.ts";

export const libzmq: Transport = {
  isSecurable: true,
  router: (handlers, options) => new LibzmqRouter(handlers, options),
  dealer: (handlers, options) => new LibzmqDealer(handlers, options),
  publisher: (handlers, options) => new LibzmqPublisher(handlers, options),
  subscriber: (handlers, options) => new LibzmqSubscriber(handlers, options),
};
