// The types of `require("pigato")`: one object, which also holds the names of the types. Of the same names as index.ts.

import type { Reply as ReplyOfWorker } from "@pigato/worker";
import type * as broker from "./broker.ts";
import type * as client from "./client.ts";
import type * as directory from "./directory.ts";
import type * as replies from "./replies.ts";
import type * as worker from "./worker.ts";

declare const PIGATO: {
  Broker: typeof broker.Broker;
  Client: typeof client.Client;
  Worker: typeof worker.Worker;
  services: { Directory: typeof directory.Directory };
};

declare namespace PIGATO {
  type Broker = broker.Broker;
  type BrokerConf = broker.BrokerConf;
  type BrokerEvents = broker.BrokerEvents;
  type Client = client.Client;
  type ClientConf = client.ClientConf;
  type ClientEvents = client.ClientEvents;
  type RequestOptions = client.RequestOptions;
  type Directory = directory.Directory;
  type DirectoryConf = directory.DirectoryConf;
  type FinalCallback = replies.FinalCallback;
  type PartialCallback = replies.PartialCallback;
  type ReplyStream = replies.ReplyStream;
  type Reply = ReplyOfWorker;
  type Worker = worker.Worker;
  type WorkerConf = worker.WorkerConf;
  type WorkerEvents = worker.WorkerEvents;
}

export = PIGATO;
