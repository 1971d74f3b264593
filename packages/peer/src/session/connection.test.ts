import { describe, expect, test } from "vitest";
import { Connection, type ConnectionOptions, type ConnectionStep } from "./connection.ts";

const OPTIONS: ConnectionOptions = {
  addresses: ["one"],
  heartbeatMs: 1_000,
  liveness: 3,
  backoff: { firstMs: 100, maxMs: 400 },
  connectTimeoutMs: 5_000,
  brokerAnswers: true,
  random: () => 0,
};

/** A connection in a time of its own that writes down what it wants, e.g. `1000 heartbeat`. */
class Life {
  readonly connection: Connection;
  #now = 0;
  #log: string[] = [];

  constructor(options: Partial<ConnectionOptions> = {}) {
    this.connection = new Connection({ ...OPTIONS, ...options });
  }

  get now(): number {
    return this.#now;
  }

  start(): this {
    return this.#note(this.connection.start(this.#now));
  }

  stop(): this {
    return this.#note(this.connection.stop());
  }

  linkUp(): this {
    return this.#note(this.connection.onLinkUp(this.#now));
  }

  linkDown(): this {
    return this.#note(this.connection.onLost("link-down", this.#now));
  }

  disconnected(): this {
    return this.#note(this.connection.onLost("disconnected", this.#now));
  }

  heard(): this {
    return this.#note(this.connection.onHeard(this.#now));
  }

  tick(): this {
    return this.#note(this.connection.onTick(this.#now));
  }

  /** Lets time pass, with a tick at the very time of each deadline. */
  pass(ms: number): this {
    const end = this.#now + ms;
    for (let at = this.connection.nextDeadline(); at !== undefined && at <= end; at = this.connection.nextDeadline()) {
      this.#now = at;
      this.tick();
    }
    this.#now = end;
    return this;
  }

  /** Lets time pass in which this process stands still. */
  freeze(ms: number): this {
    this.#now += ms;
    return this;
  }

  /** What happened since the last look. */
  look(): string[] {
    const log = this.#log;
    this.#log = [];
    return log;
  }

  /** A connection whose broker has just answered, at 0, with nothing to look back on. */
  connected(): this {
    this.start().linkUp().heard().look();
    return this;
  }

  #note(steps: readonly ConnectionStep[]): this {
    for (const step of steps) this.#log.push(`${this.#now} ${described(step)}`);
    return this;
  }
}

function described(step: ConnectionStep): string {
  switch (step.type) {
    case "open":
      return `open ${step.address}`;
    case "lost":
      return `lost by ${step.reason}${step.wasConnected ? "" : ", never connected"}`;
    default:
      return step.type;
  }
}

describe("a connection comes up", () => {
  test("by opening a link, greeting on it, and being answered", () => {
    const life = new Life();
    expect(life.connection.phase).toBe("idle");
    life.start().pass(10).linkUp().pass(20).heard();
    expect(life.look()).toEqual(["0 open one", "10 greet", "30 connected"]);
    expect(life.connection.isConnected).toBe(true);
  });

  test("but not twice", () => {
    const life = new Life().start().start();
    expect(life.look()).toEqual(["0 open one"]);
    life.linkUp().start().linkUp().heard().start().heard();
    expect(life.look()).toEqual(["0 greet", "0 connected"]);
    life.linkDown().look();
    expect(life.start().look()).toEqual([]);
  });

  test("and is not connected before the broker has answered", () => {
    const life = new Life().start();
    expect(life.connection.isConnected).toBe(false);
    life.linkUp();
    expect(life.connection.phase).toBe("open");
    expect(life.connection.isConnected).toBe(false);
  });

  test("in its own time, where there is one address: the link itself goes on trying", () => {
    const life = new Life().start();
    expect(life.connection.nextDeadline()).toBeUndefined();
    life.pass(3_600_000).linkUp();
    expect(life.look()).toEqual(["0 open one", "3600000 greet"]);
  });

  test("only from where it belongs: what is heard without a link says nothing", () => {
    const life = new Life().heard().linkUp().linkDown().tick();
    expect(life.look()).toEqual([]);
    life.start().look();
    expect(life.heard().look()).toEqual([]);
    expect(life.connection.phase).toBe("connecting");
  });
});

describe("while it is up", () => {
  test("it sends a heartbeat every interval", () => {
    const life = new Life().connected();
    for (let beat = 0; beat < 5; beat++) life.pass(1_000).heard();
    expect(life.look()).toEqual(["1000", "2000", "3000", "4000", "5000"].map((at) => `${at} heartbeat`));
  });

  test("it asks for a tick at its next heartbeat, or when the broker would be given up", () => {
    const life = new Life({ liveness: 1 }).connected();
    expect(life.connection.nextDeadline()).toBe(1_000);
    const patient = new Life().connected();
    expect(patient.pass(600).heard().connection.nextDeadline()).toBe(1_000);
    expect(patient.pass(2_400).connection.nextDeadline()).toBe(3_600);
  });

  test("a tick that comes early or twice changes nothing", () => {
    const life = new Life().connected();
    life.pass(500).tick().tick();
    expect(life.look()).toEqual([]);
    life.pass(500).tick().tick();
    expect(life.look()).toEqual(["1000 heartbeat"]);
  });

  test("the broker is given up after the silent intervals that it may have", () => {
    const life = new Life().connected();
    life.pass(3_000);
    expect(life.look()).toEqual(["1000 heartbeat", "2000 heartbeat", "3000 lost by silence"]);
    expect(life.connection.phase).toBe("waiting");
  });

  test("any message puts that off", () => {
    const life = new Life().connected();
    life.pass(2_900).heard().pass(2_900);
    expect(life.look().filter((entry) => entry.includes("lost"))).toEqual([]);
    life.pass(100);
    expect(life.look()).toEqual(["5900 lost by silence"]);
  });

  test("a broker that never answers is given up in the same time", () => {
    const life = new Life().start().linkUp().pass(3_000);
    expect(life.look().at(-1)).toBe("3000 lost by silence, never connected");
  });

  test("an answer that comes in the last interval is in time", () => {
    const life = new Life().start().linkUp().pass(2_999).heard();
    expect(life.look().at(-1)).toBe("2999 connected");
  });
});

describe("a process that stood still", () => {
  test("listens for one more interval before it judges", () => {
    const life = new Life().connected();
    life.freeze(60_000).tick();
    expect(life.look()).toEqual(["60000 heartbeat"]);
    expect(life.connection.nextDeadline()).toBe(61_000);
  });

  test("keeps its broker, if what waited to be read came from it", () => {
    const life = new Life().connected();
    life.freeze(60_000).tick().heard().pass(2_500);
    expect(life.look()).toEqual(["60000 heartbeat", "61000 heartbeat", "62000 heartbeat"]);
  });

  test("gives it up an interval later, if nothing did", () => {
    const life = new Life().connected();
    life.freeze(60_000).tick().pass(1_000);
    expect(life.look()).toEqual(["60000 heartbeat", "61000 lost by silence"]);
  });

  test("for less than an interval has no excuse", () => {
    const life = new Life().connected();
    life.pass(2_000).look();
    life.freeze(1_999).tick();
    expect(life.look()).toEqual(["3999 lost by silence"]);
  });

  test("judges likewise with a liveness of 1", () => {
    const life = new Life({ liveness: 1 }).connected();
    life.freeze(2_000).tick().pass(1_000);
    expect(life.look()).toEqual(["2000 heartbeat", "3000 lost by silence"]);
  });
});

describe("a connection that is lost", () => {
  test("comes back after a pause, on a new link", () => {
    const life = new Life().connected();
    life.linkDown().pass(100).linkUp().heard();
    expect(life.look()).toEqual(["0 lost by link-down", "100 open one", "100 greet", "100 connected"]);
  });

  test("says by what it was lost", () => {
    expect(new Life().connected().disconnected().look()).toEqual(["0 lost by disconnected"]);
    expect(new Life().start().linkDown().look()).toEqual(["0 open one", "0 lost by link-down, never connected"]);
  });

  test("is lost once", () => {
    const life = new Life().connected();
    life.linkDown().linkDown().disconnected();
    expect(life.look()).toEqual(["0 lost by link-down"]);
    expect(life.pass(100).look()).toEqual(["100 open one"]);
  });

  test("hears nothing while it waits: what is late of the old link does not count", () => {
    const life = new Life().connected();
    life.linkDown().heard().linkUp().look();
    expect(life.connection.phase).toBe("waiting");
    expect(life.pass(100).look()).toEqual(["100 open one"]);
  });

  test("waits longer with every attempt that fails, up to a bound", () => {
    const life = new Life().start().linkUp();
    life.look();
    const pauses = Array.from({ length: 5 }, () => {
      life.linkDown().look();
      const pause = pauseOf(life);
      life.linkUp();
      return pause;
    });
    expect(pauses).toEqual([100, 200, 400, 400, 400]);
  });

  test("starts the pauses anew once the broker has answered, not when the link is merely up", () => {
    const life = new Life().start().linkUp().linkDown();
    life.pass(100).linkUp().linkDown();
    life.look();
    expect(pauseOf(life)).toBe(200);
    life.linkUp().heard().linkDown();
    expect(pauseOf(life)).toBe(100);
  });

  test("takes its jitter from the number it is given, one for each loss", () => {
    const numbers = [0, 0.5, 0.999];
    const life = new Life({ random: () => numbers.shift() ?? 0 }).connected();
    const pauses = Array.from({ length: 3 }, () => {
      life.linkDown();
      const pause = pauseOf(life);
      life.linkUp().heard();
      return pause;
    });
    expect(pauses[0]).toBe(100);
    expect(pauses[1]).toBe(75);
    expect(pauses[2]).toBeCloseTo(50.05, 5);
  });

  /** Lets the pause pass; how long it was. */
  function pauseOf(life: Life): number {
    const pause = (life.connection.nextDeadline() ?? Number.NaN) - life.now;
    life.look();
    life.pass(pause);
    expect(life.look()).toEqual([`${life.now} open one`]);
    return pause;
  }
});

describe("of several addresses", () => {
  const addresses = ["one", "two", "three"];

  test("one that cannot be reached is given up for the next", () => {
    const life = new Life({ addresses }).start();
    expect(life.connection.nextDeadline()).toBe(5_000);
    life.pass(5_000).pass(100).pass(5_000).pass(200).pass(5_000).pass(400);
    expect(life.look()).toEqual([
      "0 open one",
      "5000 lost by unreachable, never connected",
      "5100 open two",
      "10100 lost by unreachable, never connected",
      "10300 open three",
      "15300 lost by unreachable, never connected",
      "15700 open one",
    ]);
  });

  test("one that is lost is given up for the next as well", () => {
    const life = new Life({ addresses }).connected();
    life.linkDown().pass(100).linkUp().heard().disconnected().pass(100);
    expect(life.look()).toEqual([
      "0 lost by link-down",
      "100 open two",
      "100 greet",
      "100 connected",
      "100 lost by disconnected",
      "200 open three",
    ]);
  });

  test("one that answers is kept", () => {
    const life = new Life({ addresses }).start().pass(4_999).linkUp().heard().pass(2_000);
    expect(life.look().filter((entry) => entry.includes("open") || entry.includes("lost"))).toEqual(["0 open one"]);
  });
});

describe("a stop", () => {
  test("before the start says nothing", () => {
    expect(new Life().stop().look()).toEqual([]);
  });

  test("while connecting discards the link", () => {
    const life = new Life().start().stop();
    expect(life.look()).toEqual(["0 open one", "0 lost by disconnected, never connected"]);
  });

  test("before the first answer discards the link", () => {
    expect(new Life().start().linkUp().stop().look().at(-1)).toBe("0 lost by disconnected, never connected");
  });

  test("while connected ends the connection", () => {
    const life = new Life().connected().stop();
    expect(life.look()).toEqual(["0 lost by disconnected"]);
    expect(life.connection.isConnected).toBe(false);
  });

  test("during a pause is not undone by its end", () => {
    const life = new Life().connected().linkDown();
    life.look();
    expect(life.stop().pass(60_000).look()).toEqual([]);
    expect(life.connection.phase).toBe("idle");
  });

  test("is for good: nothing late brings it back, and nothing is due", () => {
    const life = new Life().connected().stop();
    life.look();
    life.linkUp().heard().linkDown().tick().stop().pass(60_000);
    expect(life.look()).toEqual([]);
    expect(life.connection.nextDeadline()).toBeUndefined();
  });

  test("may be followed by another start, with short pauses again", () => {
    const life = new Life().start().linkDown().pass(100).linkDown().stop();
    life.look();
    life.start().linkDown().pass(100);
    expect(life.look()).toEqual(["100 open one", "100 lost by link-down, never connected", "200 open one"]);
  });
});

describe("a broker that answers no greeting", () => {
  test("counts as connected when the link is up", () => {
    const life = new Life({ brokerAnswers: false }).start().pass(10).linkUp();
    expect(life.look()).toEqual(["0 open one", "10 greet", "10 connected"]);
    expect(life.connection.isConnected).toBe(true);
    expect(life.heard().look()).toEqual([]);
  });

  test("is come back to ever more slowly until it is heard", () => {
    const life = new Life({ brokerAnswers: false, heartbeatMs: Number.POSITIVE_INFINITY }).start().linkUp();
    life.linkDown().pass(100).linkUp().linkDown().look();
    expect(life.pass(200).look()).toEqual(["300 open one"]);
    life.linkUp().heard().linkDown().look();
    expect(life.pass(100).look()).toEqual(["400 open one"]);
  });

  test("is never lost by silence if no heartbeats are agreed", () => {
    const life = new Life({ brokerAnswers: false, heartbeatMs: Number.POSITIVE_INFINITY }).start().linkUp();
    life.look();
    expect(life.pass(1_000_000).tick().look()).toEqual([]);
  });
});

describe("a silence that is excused", () => {
  test("does not count", () => {
    const life = new Life().connected();
    life.pass(2_999).connection.excuse(life.now);
    life.pass(2_999).look();
    expect(life.pass(1).look()).toEqual(["5999 lost by silence"]);
  });
});

describe("a link that is abandoned", () => {
  test("is followed by another at once, to the next address", () => {
    const life = new Life({ addresses: ["one", "two"] }).connected();
    for (const step of [1, 2]) {
      expect(life.connection.abandon(life.now)).toEqual([
        { type: "lost", reason: "abandoned", wasConnected: true },
        { type: "open", address: step === 1 ? "two" : "one" },
      ]);
      life.linkUp().heard().look();
    }
  });

  test("is an open one", () => {
    const life = new Life().start();
    expect(life.connection.abandon(life.now)).toEqual([]);
    expect(life.linkUp().look()).toEqual(["0 open one", "0 greet"]);
  });
});
