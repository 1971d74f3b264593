// Moleculer with its JSON serializer, over TCP (nodes connect to each other directly) and over NATS. Its streams work
// differently (Node streams) and are not measured.

import { ServiceBroker } from "moleculer";
import type { EchoRequest, Peer, Started } from "../peer.ts";
import { freePort } from "../server.ts";
import { plain } from "./nats.ts";

type TransporterOf = (address: string) => { readonly type: string; readonly options: Record<string, unknown> };

export const overTcp: Peer = peer(
  // A list of nodes replaces discovery by multicast. The node that the list names listens at that port.
  (address) => ({ type: "TCP", options: { udpDiscovery: false, urls: [`tcp://${address}/worker`] } }),
  async () => `127.0.0.1:${await freePort()}`,
);

export const overNats: Peer = {
  ...peer(
    (address) => ({ type: "NATS", options: { url: `nats://${address}` } }),
    async (address) => address,
  ),
  ...(plain.broker === undefined ? {} : { broker: plain.broker }),
};

function peer(transporterOf: TransporterOf, choose: (address: string) => Promise<string>): Peer {
  return {
    async worker(given): Promise<Started> {
      const address = await choose(given);
      const broker = newBroker("worker", transporterOf(address));
      broker.createService({ name: "bench", actions: { echo: ({ params }: { params: EchoRequest }) => params } });
      await broker.start();
      return { address };
    },

    async client(address) {
      const broker = newBroker("client", transporterOf(address));
      await broker.start();
      await broker.waitForServices("bench", 30_000);
      return {
        call: (request, done) => {
          broker.call("bench.echo", request).then((reply) => done(undefined, reply), done);
        },
      };
    },
  };
}

function newBroker(nodeID: string, transporter: ReturnType<TransporterOf>): ServiceBroker {
  return new ServiceBroker({ nodeID, transporter, logger: false });
}
