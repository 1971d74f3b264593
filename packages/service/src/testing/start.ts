// A broker, a host and a client that are connected, for the tests of hosts. All stop when the test has finished.

import { Broker } from "@pigato/broker";
import { Client, type ClientOptions } from "@pigato/client";
import { onTestFinished } from "vitest";
import { Host, type HostOptions } from "../index.ts";

export interface Setting {
  readonly address: string;
  readonly host: Host;
  readonly client: Client;
  /** The warnings of the host. */
  readonly warnings: string[];
}

/** @param serve adds the services, before the host starts */
export async function start(
  serve: (host: Host) => void,
  options: HostOptions = {},
  clientOptions: ClientOptions = {},
): Promise<Setting> {
  const broker = new Broker("tcp://127.0.0.1:*", { stopTimeoutMs: 0 });
  onTestFinished(() => broker.stop());
  await broker.start();
  const [address = ""] = broker.addresses;
  const warnings: string[] = [];
  const logger = { debug() {}, info() {}, warn: (_fields: object, text: string) => warnings.push(text), error() {} };
  const host = new Host(address, { stopTimeoutMs: 0, logger, ...options });
  onTestFinished(() => host.stop());
  serve(host);
  const client = new Client(address, { stopTimeoutMs: 0, timeout: 10_000, ...clientOptions });
  onTestFinished(() => client.stop());
  await Promise.all([host.start(), client.start()]);
  return { address, host, client, warnings };
}
