// A process full of peers for the interop tests: runs the original's client, worker and broker, or our client and
// worker, on command of the test that forked it. Peers are numbered by the test; every call names a peer and a method.
"use strict";

const { BrokerPeer } = require("./broker-peer.cjs");
const { ClientPeer } = require("./client-peer.cjs");
const { DirectoryPeer } = require("./directory-peer.cjs");
const { WorkerPeer } = require("./worker-peer.cjs");

/** Bundles of the packages, if there are any: see programs.ts of the testkit. */
const { PIGATO_TEST_BUNDLES: bundles } = process.env;
const load = (name) => import(bundles ? `${bundles}/packages/${name}/src/index.js` : `@pigato/${name}`);

const LIBRARIES = {
  classic: async () => require("pigato-classic"),
  ours: async () => ({ ...(await load("client")), ...(await load("worker")) }),
};
const KINDS = { broker: BrokerPeer, client: ClientPeer, directory: DirectoryPeer, worker: WorkerPeer };

const library = LIBRARIES[process.argv[2]]();
const peers = new Map();

async function perform({ peer, method, argument }) {
  if (method === "memory") return process.memoryUsage().rss;
  if (method === "create") {
    peers.set(peer, new KINDS[argument.kind](await library, argument));
    return undefined;
  }
  return peers.get(peer)[method](argument);
}

process.on("message", async (call) => {
  try {
    process.send({ id: call.id, result: await perform(call) });
  } catch (error) {
    process.send({ id: call.id, failure: error.stack });
  }
});

// A test that died takes its peers along.
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));

library.then(() => process.send({ ready: true }));
