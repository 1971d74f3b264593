import type { Transport } from "../link.ts";
import { AutomaticDealer } from "./dealer.ts";
import { AutomaticPublisher } from "./publisher.ts";
import { AutomaticRouter } from "./router.ts";
import { AutomaticSubscriber } from "./subscriber.ts";

/** ZMTP in TypeScript for `tcp://` and `ipc://`, libzmq for `inproc://` and for `security`; one router or publisher may listen at all of them. */
export const automatic: Transport = {
  isSecurable: true,
  router: (handlers, options) => new AutomaticRouter(handlers, options),
  dealer: (handlers, options) => new AutomaticDealer(handlers, options),
  publisher: (handlers, options) => new AutomaticPublisher(handlers, options),
  subscriber: (handlers, options) => new AutomaticSubscriber(handlers, options),
};
