// A client under test: sends requests in either of the classic forms and says how each ended.
"use strict";

const { Tally } = require("./tally.cjs");

const EVENTS = ["start", "connect", "disconnect", "stop"];
const STREAM_EVENTS = ["heartbeat", "queued", "dispatched", "error", "end"];

class ClientPeer {
  #client;
  #tally = new Tally();
  #errors = [];
  #streams = [];

  constructor(library, { address, conf }) {
    this.#client = new library.Client(address, conf);
    for (const event of EVENTS) this.#client.on(event, () => this.#tally.add(event));
    this.#client.on("error", (error) => this.#errors.push(String(error)));
    this.#countHeartbeats();
  }

  async start() {
    await this.#client.start();
  }

  async stop() {
    await this.#client.stop();
  }

  until({ event, count }) {
    return this.#tally.reached(event, count);
  }

  report() {
    return { errors: this.#errors, connects: this.#tally.count("connect") };
  }

  /** Sends all of `requests` in one turn; resolves when every one has ended. */
  requestAll({ requests }) {
    return Promise.all(requests.map((request) => this.request(request)));
  }

  request({ service, data, options }) {
    const startedAt = performance.now();
    return new Promise((resolve) => {
      const partials = [];
      const onPartial = (_error, chunk) => partials.push(chunk);
      const onFinal = (error, final) =>
        resolve({ partials, final, error: readable(error), elapsedMs: performance.now() - startedAt });
      this.#client.request(service, data, onPartial, onFinal, { ...options });
    });
  }

  /** Makes a request and leaves it open: what comes of it is counted as the events of its stream. */
  open({ service, data, options }) {
    const stream = this.#client.request(service, data, { ...options });
    this.#streams.push(stream);
    for (const event of STREAM_EVENTS) {
      stream.on(event, (value) => this.#tally.add(event, event === "error" ? readable(value) : value));
    }
    stream.resume();
  }

  /** Says of every request that was left open that somebody waits for it. */
  keepAlive() {
    for (const stream of this.#streams) stream.heartbeat();
  }

  /** Only the original's client has a method that sends its heartbeats. */
  #countHeartbeats() {
    const { heartbeat } = this.#client;
    if (heartbeat === undefined) return;
    this.#client.heartbeat = (...about) => {
      heartbeat.apply(this.#client, about);
      if (about.length === 0) this.#tally.add("own heartbeat");
    };
  }

  /** The same as a stream: of its chunks the last is the final reply. */
  stream({ service, data, options }) {
    return new Promise((resolve) => {
      const chunks = [];
      let failure;
      const stream = this.#client.request(service, data, { ...options });
      const settle = () => resolve({ chunks, error: readable(failure) });
      stream.on("data", (chunk) => chunks.push(chunk));
      stream.on("error", (error) => {
        failure = error;
      });
      stream.on("end", settle);
      stream.on("close", settle);
    });
  }
}

/** An error in a form that keeps its fields on the way to the test. The original has no error objects: any value. */
function readable(error) {
  if (!(error instanceof Error)) return error || undefined;
  const { name, message, code, delivery, detail } = error;
  return { name, message, code, delivery, detail };
}

module.exports = { ClientPeer };
