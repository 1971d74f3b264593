// A broker. Usage: node dist/broker.js [address, default tcp://*:55555]

import { Broker } from "@pigato/broker";

const broker = new Broker(process.argv[2] ?? "tcp://*:55555");

process.once("SIGTERM", () => broker.stop());
process.once("SIGINT", () => broker.stop());

await broker.start();
console.log(`ready at ${broker.addresses.join(", ")}`);
