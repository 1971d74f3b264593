// A worker under test: its behavior, what it was given, and how many requests it had at once.
"use strict";

const { behaviors } = require("./behaviors.cjs");
const { Tally } = require("./tally.cjs");

const EVENTS = ["start", "connect", "disconnect", "stop"];

class WorkerPeer {
  #worker;
  #tally = new Tally();
  #received = [];
  #errors = [];
  #held = [];
  #replies = [];
  #inFlight = 0;
  #mostInFlight = 0;

  constructor(library, { address, service, conf, behavior, name }) {
    this.name = name;
    this.#worker = new library.Worker(address, service, conf);
    for (const event of EVENTS) this.#worker.on(event, () => this.#tally.add(event));
    this.#countHeartbeats();
    this.#worker.on("error", (error) => this.#errors.push(String(error)));
    this.#worker.on("request", (data, reply, options) => this.#onRequest(behaviors[behavior], data, reply, options));
  }

  async start() {
    await this.#worker.start();
  }

  async stop() {
    await this.#worker.stop();
  }

  /** The routing id of the current session: what `workerId` of a request names. */
  id() {
    return this.#worker.socketId;
  }

  until({ event, count }) {
    return this.#tally.reached(event, count);
  }

  configure(conf) {
    Object.assign(this.#worker.conf, conf);
  }

  hold(finish) {
    this.#held.push(finish);
    this.#tally.add("held");
  }

  /** Answers the oldest `count` held requests. */
  release({ count }) {
    for (const finish of this.#held.splice(0, count)) finish();
  }

  /** What each reply so far says of whether it is still wanted, oldest first. */
  active() {
    return this.#replies.map((reply) => reply.active());
  }

  /** Has the handler of every request say that it still works. */
  heartbeat() {
    for (const reply of this.#replies) reply.heartbeat();
  }

  report() {
    return {
      received: this.#received,
      errors: this.#errors,
      held: this.#held.length,
      mostInFlight: this.#mostInFlight,
      connects: this.#tally.count("connect"),
    };
  }

  /** Only the original's worker has a method that sends its heartbeats. */
  #countHeartbeats() {
    const { heartbeat } = this.#worker;
    if (heartbeat === undefined) return;
    this.#worker.heartbeat = (...settings) => {
      heartbeat.apply(this.#worker, settings);
      this.#tally.add("heartbeat");
    };
  }

  #onRequest(behavior, data, reply, options) {
    this.#inFlight += 1;
    this.#mostInFlight = Math.max(this.#mostInFlight, this.#inFlight);
    this.#received.push({ data, options });
    this.#replies.push(reply);
    // The original has no signal.
    reply.signal?.addEventListener("abort", () => this.#tally.add("abort"));
    const finish = (verb) => (value) => {
      this.#inFlight -= 1;
      reply[verb](value);
    };
    const answer = {
      write: (chunk) => reply.write(chunk),
      end: finish("end"),
      reject: finish("reject"),
      error: finish("error"),
      keep: (ms) => {
        reply.opts.cache = ms;
      },
    };
    this.#tally.add("request");
    behavior(data, answer, this);
  }
}

module.exports = { WorkerPeer };
