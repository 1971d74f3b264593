// Links over ZMTP 3.1 on Node's own sockets, tcp and ipc.

import type { Transport } from "../link.ts";
import { ZmtpDealer } from "./dealer.ts";
import { ZmtpPublisher } from "./publisher.ts";
import { ZmtpRouter } from "./router.ts";
import { ZmtpSubscriber } from "./subscriber.ts";

export const zmtp: Transport = {
  router: (handlers, options) => new ZmtpRouter(handlers, unsecured(options)),
  dealer: (handlers, options) => new ZmtpDealer(handlers, unsecured(options)),
  publisher: (handlers, options) => {
    unsecured(options);
    return new ZmtpPublisher(handlers);
  },
  subscriber: (handlers, options) => new ZmtpSubscriber(handlers, unsecured(options)),
};

/** @throws TypeError for what would be an open door in place of a locked one */
function unsecured<Options extends { readonly security?: unknown } | undefined>(options: Options): Options {
  if (options?.security === undefined) return options;
  throw new TypeError("this transport has no mechanism but NULL, and asks nobody who may come in");
}
