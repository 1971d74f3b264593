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

/** Drives a connection on a fake clock and logs its steps, e.g. `1000 heartbeat`. */
class Driver {
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

  receiving(): this {
    this.connection.onReceiving(this.#now);
    return this;
  }

  attemptFailed(): this {
    return this.#note(this.connection.onAttemptFailed(this.#now));
  }

  disconnected(): this {
    return this.#note(this.connection.onLost("disconnected", this.#now));
  }

  received(): this {
    return this.#note(this.connection.onReceived(this.#now));
  }

  tick(): this {
    return this.#note(this.connection.onTick(this.#now));
  }

  /** Advances the clock, with a tick at each deadline. */
  pass(ms: number): this {
    const end = this.#now + ms;
    for (let at = this.connection.nextDeadline(); at !== undefined && at <= end; at = this.connection.nextDeadline()) {
      this.#now = at;
      this.tick();
    }
    this.#now = end;
    return this;
  }

  /** Advances the clock without ticks, as if the process stood still. */
  freeze(ms: number): this {
    this.#now += ms;
    return this;
  }

  /** The steps since the last call. */
  takeLog(): string[] {
    const log = this.#log;
    this.#log = [];
    return log;
  }

  /** A connection whose broker replied at 0, with an empty log. */
  connected(): this {
    this.start().linkUp().received().takeLog();
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

describe("a connection is established", () => {
  test("by opening a link, greeting on it, and receiving a message", () => {
    const driver = new Driver();
    expect(driver.connection.phase).toBe("idle");
    driver.start().pass(10).linkUp().pass(20).received();
    expect(driver.takeLog()).toEqual(["0 open one", "10 greet", "30 connected"]);
    expect(driver.connection.isConnected).toBe(true);
  });

  test("but not twice", () => {
    const driver = new Driver().start().start();
    expect(driver.takeLog()).toEqual(["0 open one"]);
    driver.linkUp().start().linkUp().received().start().received();
    expect(driver.takeLog()).toEqual(["0 greet", "0 connected"]);
    driver.linkDown().takeLog();
    expect(driver.start().takeLog()).toEqual([]);
  });

  test("and is not connected before the broker sends a message", () => {
    const driver = new Driver().start();
    expect(driver.connection.isConnected).toBe(false);
    driver.linkUp();
    expect(driver.connection.phase).toBe("open");
    expect(driver.connection.isConnected).toBe(false);
  });

  test("without a connect timeout if there is one address, because the link itself retries", () => {
    const driver = new Driver().start();
    expect(driver.connection.nextDeadline()).toBeUndefined();
    driver.pass(3_600_000).linkUp();
    expect(driver.takeLog()).toEqual(["0 open one", "3600000 greet"]);
  });

  test("after failed attempts too if there is one address", () => {
    const driver = new Driver().start().attemptFailed().pass(10).attemptFailed().pass(10).linkUp();
    expect(driver.takeLog()).toEqual(["0 open one", "20 greet"]);
  });

  test("only by steps that fit its phase: a message without a link is ignored", () => {
    const driver = new Driver().received().linkUp().linkDown().tick();
    expect(driver.takeLog()).toEqual([]);
    driver.start().takeLog();
    expect(driver.received().takeLog()).toEqual([]);
    expect(driver.connection.phase).toBe("connecting");
  });
});

describe("an established connection", () => {
  test("sends a heartbeat every interval", () => {
    const driver = new Driver().connected();
    for (let beat = 0; beat < 5; beat++) driver.pass(1_000).received();
    expect(driver.takeLog()).toEqual(["1000", "2000", "3000", "4000", "5000"].map((at) => `${at} heartbeat`));
  });

  test("requests a tick for its next heartbeat, or for the expiry of the broker", () => {
    const driver = new Driver({ liveness: 1 }).connected();
    expect(driver.connection.nextDeadline()).toBe(1_000);
    const patient = new Driver().connected();
    expect(patient.pass(600).received().connection.nextDeadline()).toBe(1_000);
    expect(patient.pass(2_400).connection.nextDeadline()).toBe(3_600);
  });

  test("ignores a tick that is early or repeated", () => {
    const driver = new Driver().connected();
    driver.pass(500).tick().tick();
    expect(driver.takeLog()).toEqual([]);
    driver.pass(500).tick().tick();
    expect(driver.takeLog()).toEqual(["1000 heartbeat"]);
  });

  test("loses the broker after the tolerated silent intervals", () => {
    const driver = new Driver().connected();
    driver.pass(3_000);
    expect(driver.takeLog()).toEqual(["1000 heartbeat", "2000 heartbeat", "3000 lost by silence"]);
    expect(driver.connection.phase).toBe("waiting");
  });

  test("postpones that with any message", () => {
    const driver = new Driver().connected();
    driver.pass(2_900).received().pass(2_900);
    expect(driver.takeLog().filter((entry) => entry.includes("lost"))).toEqual([]);
    driver.pass(100);
    expect(driver.takeLog()).toEqual(["5900 lost by silence"]);
  });

  test("loses a broker that never replies after the same time", () => {
    const driver = new Driver().start().linkUp().pass(3_000);
    expect(driver.takeLog().at(-1)).toBe("3000 lost by silence, never connected");
  });

  test("accepts a message in the last interval", () => {
    const driver = new Driver().start().linkUp().pass(2_999).received();
    expect(driver.takeLog().at(-1)).toBe("2999 connected");
  });
});

describe("a process that stood still", () => {
  test("waits one more interval before it loses the broker", () => {
    const driver = new Driver().connected();
    driver.freeze(60_000).tick();
    expect(driver.takeLog()).toEqual(["60000 heartbeat"]);
    expect(driver.connection.nextDeadline()).toBe(61_000);
  });

  test("keeps its broker if an unread message arrives", () => {
    const driver = new Driver().connected();
    driver.freeze(60_000).tick().received().pass(2_500);
    expect(driver.takeLog()).toEqual(["60000 heartbeat", "61000 heartbeat", "62000 heartbeat"]);
  });

  test("loses the broker one interval later if no message arrives", () => {
    const driver = new Driver().connected();
    driver.freeze(60_000).tick().pass(1_000);
    expect(driver.takeLog()).toEqual(["60000 heartbeat", "61000 lost by silence"]);
  });

  test("for less than an interval gets no extra interval", () => {
    const driver = new Driver().connected();
    driver.pass(2_000).takeLog();
    driver.freeze(1_999).tick();
    expect(driver.takeLog()).toEqual(["3999 lost by silence"]);
  });

  test("does the same with a liveness of 1", () => {
    const driver = new Driver({ liveness: 1 }).connected();
    driver.freeze(2_000).tick().pass(1_000);
    expect(driver.takeLog()).toEqual(["2000 heartbeat", "3000 lost by silence"]);
  });
});

describe("a connection that is lost", () => {
  test("reconnects after a pause, on a new link", () => {
    const driver = new Driver().connected();
    driver.linkDown().pass(100).linkUp().received();
    expect(driver.takeLog()).toEqual(["0 lost by link-down", "100 open one", "100 greet", "100 connected"]);
  });

  test("reports the reason", () => {
    expect(new Driver().connected().disconnected().takeLog()).toEqual(["0 lost by disconnected"]);
    expect(new Driver().start().linkDown().takeLog()).toEqual(["0 open one", "0 lost by link-down, never connected"]);
  });

  test("is reported once", () => {
    const driver = new Driver().connected();
    driver.linkDown().linkDown().disconnected();
    expect(driver.takeLog()).toEqual(["0 lost by link-down"]);
    expect(driver.pass(100).takeLog()).toEqual(["100 open one"]);
  });

  test("ignores late messages of the old link during the pause", () => {
    const driver = new Driver().connected();
    driver.linkDown().received().linkUp().takeLog();
    expect(driver.connection.phase).toBe("waiting");
    expect(driver.pass(100).takeLog()).toEqual(["100 open one"]);
  });

  test("waits longer after every failed attempt, up to a bound", () => {
    const driver = new Driver().start().linkUp();
    driver.takeLog();
    const pauses = Array.from({ length: 5 }, () => {
      driver.linkDown().takeLog();
      const pause = pauseOf(driver);
      driver.linkUp();
      return pause;
    });
    expect(pauses).toEqual([100, 200, 400, 400, 400]);
  });

  test("resets the pauses when the broker sends a message, not when the link is up", () => {
    const driver = new Driver().start().linkUp().linkDown();
    driver.pass(100).linkUp().linkDown();
    driver.takeLog();
    expect(pauseOf(driver)).toBe(200);
    driver.linkUp().received().linkDown();
    expect(pauseOf(driver)).toBe(100);
  });

  test("draws one random number per loss for the jitter", () => {
    const numbers = [0, 0.5, 0.999];
    const driver = new Driver({ random: () => numbers.shift() ?? 0 }).connected();
    const pauses = Array.from({ length: 3 }, () => {
      driver.linkDown();
      const pause = pauseOf(driver);
      driver.linkUp().received();
      return pause;
    });
    expect(pauses[0]).toBe(100);
    expect(pauses[1]).toBe(75);
    expect(pauses[2]).toBeCloseTo(50.05, 5);
  });

  /** Lets the pause pass; how long it was. */
  function pauseOf(driver: Driver): number {
    const pause = (driver.connection.nextDeadline() ?? Number.NaN) - driver.now;
    driver.takeLog();
    driver.pass(pause);
    expect(driver.takeLog()).toEqual([`${driver.now} open one`]);
    return pause;
  }
});

describe("with several addresses", () => {
  const addresses = ["one", "two", "three"];

  test("a silent address is given up for the next at once, and all of them for a pause", () => {
    const driver = new Driver({ addresses }).start();
    expect(driver.connection.nextDeadline()).toBe(5_000);
    driver.pass(15_100);
    expect(driver.takeLog()).toEqual([
      "0 open one",
      "5000 lost by unreachable, never connected",
      "5000 open two",
      "10000 lost by unreachable, never connected",
      "10000 open three",
      "15000 lost by unreachable, never connected",
      "15100 open one",
    ]);
  });

  test("an address that refuses is given up for the next at once", () => {
    const driver = new Driver({ addresses: ["refusing", "live"] }).start().attemptFailed().linkUp().received();
    expect(driver.takeLog()).toEqual([
      "0 open refusing",
      "0 lost by unreachable, never connected",
      "0 open live",
      "0 greet",
      "0 connected",
    ]);
  });

  test("the pause grows with each round of failures, and every round tries each address once", () => {
    const driver = new Driver({ addresses }).start();
    const rounds = [1, 2, 3].map(() => {
      driver.attemptFailed().attemptFailed().attemptFailed();
      const pause = (driver.connection.nextDeadline() ?? Number.NaN) - driver.now;
      driver.pass(pause);
      const opened = driver.takeLog().filter((entry) => entry.includes("open")).length;
      return { pause, opened };
    });
    expect(rounds).toEqual([
      { pause: 100, opened: 4 },
      { pause: 200, opened: 3 },
      { pause: 400, opened: 3 },
    ]);
  });

  test("a broker that closes the link before its first message is given up for the next at once", () => {
    const driver = new Driver({ addresses: ["denying", "live"] }).start().linkUp().disconnected().linkUp().received();
    expect(driver.takeLog()).toEqual([
      "0 open denying",
      "0 greet",
      "0 lost by disconnected, never connected",
      "0 open live",
      "0 greet",
      "0 connected",
    ]);
  });

  test("after the loss of a broker, a pause precedes a whole round", () => {
    const driver = new Driver({ addresses }).start().attemptFailed().linkUp().received().linkDown();
    driver.takeLog();
    driver.pass(100).attemptFailed().attemptFailed().attemptFailed().pass(200);
    expect(driver.takeLog().filter((entry) => entry.includes("open"))).toEqual([
      "100 open three",
      "100 open one",
      "100 open two",
      "300 open three",
    ]);
  });

  test("a failed attempt has no effect once the link is up, during a pause or after the stop", () => {
    const driver = new Driver({ addresses }).start().linkUp();
    driver.takeLog();
    expect(driver.attemptFailed().takeLog()).toEqual([]);
    driver.received().linkDown().takeLog();
    expect(driver.attemptFailed().takeLog()).toEqual([]);
    driver.stop().takeLog();
    expect(driver.attemptFailed().takeLog()).toEqual([]);
  });

  test("a lost broker is given up for the next address", () => {
    const driver = new Driver({ addresses }).connected();
    driver.linkDown().pass(100).linkUp().received().disconnected().pass(100);
    expect(driver.takeLog()).toEqual([
      "0 lost by link-down",
      "100 open two",
      "100 greet",
      "100 connected",
      "100 lost by disconnected",
      "200 open three",
    ]);
  });

  test("an address that works is kept", () => {
    const driver = new Driver({ addresses }).start().pass(4_999).linkUp().received().pass(2_000);
    expect(driver.takeLog().filter((entry) => entry.includes("open") || entry.includes("lost"))).toEqual([
      "0 open one",
    ]);
  });
});

describe("a stop", () => {
  test("before the start has no effect", () => {
    expect(new Driver().stop().takeLog()).toEqual([]);
  });

  test("while connecting discards the link", () => {
    const driver = new Driver().start().stop();
    expect(driver.takeLog()).toEqual(["0 open one", "0 lost by disconnected, never connected"]);
  });

  test("before the first message discards the link", () => {
    expect(new Driver().start().linkUp().stop().takeLog().at(-1)).toBe("0 lost by disconnected, never connected");
  });

  test("while connected ends the connection", () => {
    const driver = new Driver().connected().stop();
    expect(driver.takeLog()).toEqual(["0 lost by disconnected"]);
    expect(driver.connection.isConnected).toBe(false);
  });

  test("during a pause stays stopped at its end", () => {
    const driver = new Driver().connected().linkDown();
    driver.takeLog();
    expect(driver.stop().pass(60_000).takeLog()).toEqual([]);
    expect(driver.connection.phase).toBe("idle");
  });

  test("is final: late events have no effect, and no tick is due", () => {
    const driver = new Driver().connected().stop();
    driver.takeLog();
    driver.linkUp().received().linkDown().tick().stop().pass(60_000);
    expect(driver.takeLog()).toEqual([]);
    expect(driver.connection.nextDeadline()).toBeUndefined();
  });

  test("may be followed by another start, with short pauses again", () => {
    const driver = new Driver().start().linkDown().pass(100).linkDown().stop();
    driver.takeLog();
    driver.start().linkDown().pass(100);
    expect(driver.takeLog()).toEqual(["100 open one", "100 lost by link-down, never connected", "200 open one"]);
  });
});

describe("a broker that does not reply to the greeting", () => {
  test("counts as connected when the link is up", () => {
    const driver = new Driver({ brokerAnswers: false }).start().pass(10).linkUp();
    expect(driver.takeLog()).toEqual(["0 open one", "10 greet", "10 connected"]);
    expect(driver.connection.isConnected).toBe(true);
    expect(driver.received().takeLog()).toEqual([]);
  });

  test("gets reconnects with growing pauses until it sends a message", () => {
    const driver = new Driver({ brokerAnswers: false, heartbeatMs: Number.POSITIVE_INFINITY }).start().linkUp();
    driver.linkDown().pass(100).linkUp().linkDown().takeLog();
    expect(driver.pass(200).takeLog()).toEqual(["300 open one"]);
    driver.linkUp().received().linkDown().takeLog();
    expect(driver.pass(100).takeLog()).toEqual(["400 open one"]);
  });

  test("is never lost by silence without heartbeats", () => {
    const driver = new Driver({ brokerAnswers: false, heartbeatMs: Number.POSITIVE_INFINITY }).start().linkUp();
    driver.takeLog();
    expect(driver.pass(1_000_000).tick().takeLog()).toEqual([]);
  });
});

describe("a message of the broker that is not whole yet", () => {
  test("is a sign of life, and heartbeats go on", () => {
    const driver = new Driver().connected();
    for (let passed = 0; passed < 20_000; passed += 500) driver.pass(500).receiving();
    expect(driver.takeLog()).toEqual(Array.from({ length: 20 }, (_, beat) => `${(beat + 1) * 1_000} heartbeat`));
    driver.pass(2_999).takeLog();
    expect(driver.pass(1).takeLog()).toEqual(["23000 lost by silence"]);
  });

  test("is no answer to the greeting", () => {
    const driver = new Driver().start().linkUp().receiving();
    expect(driver.connection.isConnected).toBe(false);
    expect(driver.takeLog()).toEqual(["0 open one", "0 greet"]);
  });

  test("does not reset the pauses", () => {
    const driver = new Driver().start().linkUp().receiving().linkDown().pass(100).linkUp().receiving().linkDown();
    expect(driver.connection.nextDeadline()).toBe(driver.now + 200);
  });

  test("has no effect without a link", () => {
    expect(new Driver().receiving().start().receiving().takeLog()).toEqual(["0 open one"]);
  });
});

describe("excused silence", () => {
  test("does not count", () => {
    const driver = new Driver().connected();
    driver.pass(2_999).connection.excuse(driver.now);
    driver.pass(2_999).takeLog();
    expect(driver.pass(1).takeLog()).toEqual(["5999 lost by silence"]);
  });
});

describe("an abandoned link", () => {
  test("is replaced at once by a link to the next address", () => {
    const driver = new Driver({ addresses: ["one", "two"] }).connected();
    for (const step of [1, 2]) {
      expect(driver.connection.abandon(driver.now)).toEqual([
        { type: "lost", reason: "abandoned", wasConnected: true },
        { type: "open", address: step === 1 ? "two" : "one" },
      ]);
      driver.linkUp().received().takeLog();
    }
  });

  test("must be open", () => {
    const driver = new Driver().start();
    expect(driver.connection.abandon(driver.now)).toEqual([]);
    expect(driver.linkUp().takeLog()).toEqual(["0 open one", "0 greet"]);
  });
});
