// Links over ZMTP 3.1 on Node's own sockets, tcp and ipc. Publishing is rare and small: libzmq does it, which speaks the
// same protocol.

import { LibzmqPublisher } from "../libzmq/publisher.ts";
import { LibzmqSubscriber } from "../libzmq/subscriber.ts";
import type { Transport } from "../link.ts";
import { ZmtpDealer } from "./dealer.ts";
import { ZmtpRouter } from "./router.ts";

export const zmtp: Transport = {
  router: (handlers, options) => new ZmtpRouter(handlers, options),
  dealer: (handlers, options) => new ZmtpDealer(handlers, options),
  publisher: (handlers) => new LibzmqPublisher(handlers),
  subscriber: (handlers, options) => new LibzmqSubscriber(handlers, options),
};
