// A host in a process of its own, for tests that kill it. Its methods reply with the names of the service and of the host.

import { Host } from "@pigato/service";
import { serve, settingsText } from "@pigato/testkit/serve";

export interface HostSettings {
  readonly address: string;
  /** The host, as its replies name it. */
  readonly name: string;
  readonly services: readonly string[];
  /** Never replies. */
  readonly holds: boolean;
}

const { address, name, services, holds }: HostSettings = JSON.parse(settingsText());
const host = new Host(address);
for (const service of services) {
  host.register(service, () => (holds ? new Promise(() => {}) : `${service} at ${name}`), "run");
}
await host.start();
serve({});
