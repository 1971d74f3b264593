// What happened to a peer, counted by name, so that a test can wait for the n-th time instead of for a while.
"use strict";

class Tally {
  #counts = new Map();
  #values = new Map();
  #waiting = [];

  add(name, value) {
    this.#values.set(name, value);
    this.#counts.set(name, this.count(name) + 1);
    this.#waiting = this.#waiting.filter((waiter) => {
      if (this.count(waiter.name) < waiter.count) return true;
      waiter.resolve(value);
      return false;
    });
  }

  count(name) {
    return this.#counts.get(name) ?? 0;
  }

  /** Resolves when `name` has happened `count` times since the start, to what it said the last time. */
  reached(name, count) {
    if (this.count(name) >= count) return Promise.resolve(this.#values.get(name));
    return new Promise((resolve) => this.#waiting.push({ name, count, resolve }));
  }
}

module.exports = { Tally };
