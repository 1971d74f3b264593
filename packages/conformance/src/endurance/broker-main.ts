// The broker of an endurance run.

import { Broker } from "@pigato/broker";
import { serve, settingsText } from "@pigato/testkit/serve";

const options: object = JSON.parse(settingsText());
const broker = new Broker("tcp://127.0.0.1:*", options);
await broker.start();

serve({
  address: () => ({ address: broker.addresses[0], channel: broker.conf.intch }),
  stats: () => broker.stats(),
});
