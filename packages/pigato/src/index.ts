import { Broker } from "./broker.ts";
import { Client } from "./client.ts";
import { Directory } from "./directory.ts";
import { Worker } from "./worker.ts";

/** The core services. */
const services: { Directory: typeof Directory } = { Directory };

/** The result of `require("pigato")` and `import PIGATO from "pigato"`. */
const PIGATO: {
  Broker: typeof Broker;
  Client: typeof Client;
  Worker: typeof Worker;
  services: typeof services;
} = { Broker, Client, Worker, services };

export type { Reply } from "@pigato/worker";
export type { BrokerConf, BrokerEvents } from "./broker.ts";
export type { ClientConf, ClientEvents, RequestOptions } from "./client.ts";
export type { Directory, DirectoryConf } from "./directory.ts";
export type { FinalCallback, PartialCallback, ReplyStream } from "./replies.ts";
export type { WorkerConf, WorkerEvents } from "./worker.ts";
// With this last name, `require()` returns the plain object itself, which classic code may change.
export { Broker, Client, PIGATO as default, PIGATO as "module.exports", services, Worker };
