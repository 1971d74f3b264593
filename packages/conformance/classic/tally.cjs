// What happened to a peer, counted by name, so that a test can wait for the n-th time instead of for a while.
"use strict";

class Tally {
  #counts = new Map();
  #waiting = [];

  add(name) {
    this.#counts.set(name, this.count(name) + 1);
    this.#waiting = this.#waiting.filter((waiter) => {
      if (this.count(waiter.name) < waiter.count) return true;
      waiter.resolve();
      return false;
    });
  }

  count(name) {
    return this.#counts.get(name) ?? 0;
  }

  /** Resolves when `name` has happened `count` times since the start. */
  reached(name, count) {
    if (this.count(name) >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ name, count, resolve }));
  }
}

module.exports = { Tally };
