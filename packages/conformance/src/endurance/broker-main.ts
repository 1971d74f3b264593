// The broker of an endurance run.

import { Broker } from "@pigato/broker";
import { serve, settings } from "./serving.ts";

const options: object = JSON.parse(settings());
const broker = new Broker("tcp://127.0.0.1:*", options);
await broker.start();

serve({
  address: () => ({ address: broker.addresses[0], channel: broker.conf.intch }),
  stats: () => broker.stats(),
});
