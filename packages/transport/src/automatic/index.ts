import { LibzmqPublisher } from "../libzmq/publisher.ts";
import { LibzmqSubscriber } from "../libzmq/subscriber.ts";
import type { Transport } from "../link.ts";
import { AutomaticDealer } from "./dealer.ts";
import { AutomaticRouter } from "./router.ts";

/** ZMTP in TypeScript for `tcp://` and `ipc://`, libzmq for `inproc://`; one router may listen at all of them. */
export const automatic: Transport = {
  router: (handlers, options) => new AutomaticRouter(handlers, options),
  dealer: (handlers, options) => new AutomaticDealer(handlers, options),
  publisher: (handlers) => new LibzmqPublisher(handlers),
  subscriber: (handlers, options) => new LibzmqSubscriber(handlers, options),
};
