// The program behind `spawnPeer`, by role.

import { Broker } from "@pigato/broker";
import { serve, settingsText, type Tasks } from "@pigato/testkit/serve";
import { Worker } from "@pigato/worker";
import { Dealer } from "zeromq";
import type { PeerSettings } from "./spawn.ts";

const settings: PeerSettings = JSON.parse(settingsText());
serve(await start(settings));

async function start(peer: PeerSettings): Promise<Tasks> {
  switch (peer.role) {
    case "broker": {
      const broker = new Broker("tcp://127.0.0.1:*", peer.options);
      await broker.start();
      return {
        address: () => ({ address: broker.addresses[0], channel: broker.conf.intch }),
        stats: () => broker.stats(),
      };
    }
    case "worker": {
      const { address, service, holds = false, options } = peer;
      const worker = new Worker(address, service, options);
      // One turn of the event loop later.
      worker.on("request", (data, reply) => {
        if (!holds) setImmediate(() => reply.end(data));
      });
      await worker.start();
      return {};
    }
    case "raw client": {
      const socket = new Dealer({ routingId: peer.routingId });
      socket.connect(peer.address);
      await socket.send([...peer.frames]);
      return {};
    }
    default:
      return peer satisfies never;
  }
}
