// The original's broker under test.
"use strict";

const { once } = require("node:events");

class BrokerPeer {
  #broker;

  constructor(library, { address, conf }) {
    // Its internal channel has a fixed default port; two brokers of two tests would meet there.
    this.#broker = new library.Broker(address, { intch: "tcp://127.0.0.1:*", ...conf });
  }

  async start() {
    this.#broker.start();
    await once(this.#broker, "start");
  }

  async stop() {
    this.#broker.stop();
    await once(this.#broker, "stop");
  }

  /** Where it listens, with the real port. */
  address() {
    return this.#broker.socket.last_endpoint;
  }
}

module.exports = { BrokerPeer };
