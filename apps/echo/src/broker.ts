// A broker. Usage: node dist/broker.js [address, default tcp://*:55555]

import { Broker } from "@pigato/broker";

const broker = new Broker(process.argv[2] ?? "tcp://*:55555");

broker.on("worker:join", ({ service }) => console.log(`a worker for "${service}" joined`));
broker.on("worker:leave", ({ service }) => console.log(`a worker for "${service}" left`));

process.once("SIGTERM", () => broker.stop());
process.once("SIGINT", () => broker.stop());

await broker.start();
console.log(`ready at ${broker.addresses.join(", ")}`);
