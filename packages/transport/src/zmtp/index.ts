// Links over ZMTP 3.1 on Node's own sockets, tcp and ipc.

import type { Transport } from "../link.ts";
import { ZmtpDealer } from "./dealer.ts";
import { ZmtpPublisher } from "./publisher.ts";
import { ZmtpRouter } from "./router.ts";
import { ZmtpSubscriber } from "./subscriber.ts";

export const zmtp: Transport = {
  router: (handlers, options) => new ZmtpRouter(handlers, options),
  dealer: (handlers, options) => new ZmtpDealer(handlers, options),
  publisher: (handlers) => new ZmtpPublisher(handlers),
  subscriber: (handlers, options) => new ZmtpSubscriber(handlers, options),
};
