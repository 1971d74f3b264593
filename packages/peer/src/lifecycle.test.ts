import { describe, expect, test } from "vitest";
import { Lifecycle, type PeerKind } from "./lifecycle.ts";

/** A lifecycle, and what it began and ended. */
function newLifecycle(kind: PeerKind = "client") {
  const calls: string[] = [];
  const lifecycle = new Lifecycle({ kind, begin: () => calls.push("begin"), end: () => calls.push("end") });
  return { lifecycle, calls };
}

/** What a promise became by now. */
async function outcome(promise: Promise<void>): Promise<string> {
  const settled = promise.then(
    () => "resolved",
    (error: unknown) => String(error),
  );
  return Promise.race([settled, new Promise<string>((resolve) => setImmediate(resolve, "pending"))]);
}

describe("start()", () => {
  test("resolves when a broker has answered, for every call", async () => {
    const { lifecycle, calls } = newLifecycle();
    expect(lifecycle.isNew).toBe(true);
    const started = lifecycle.start();
    expect(lifecycle.start()).toBe(started);
    expect([await outcome(started), lifecycle.isNew]).toEqual(["pending", false]);
    lifecycle.onConnected();
    lifecycle.onConnected();
    expect(await outcome(started)).toBe("resolved");
    expect([lifecycle.start() === started, calls]).toEqual([true, ["begin"]]);
  });

  test("rejects when the broker can never be reached, and then stops", async () => {
    const { lifecycle, calls } = newLifecycle();
    const started = lifecycle.start();
    lifecycle.onFailure(new Error("no such address"));
    expect([await outcome(started), calls]).toEqual(["Error: no such address", ["begin", "end"]]);
    lifecycle.onFailure(new Error("again"));
    lifecycle.onStopped();
    const again = lifecycle.start();
    lifecycle.onConnected();
    expect([await outcome(again), calls]).toEqual(["resolved", ["begin", "end", "begin"]]);
  });

  test("of a connected peer is not affected by a later failure", async () => {
    const { lifecycle, calls } = newLifecycle();
    const started = lifecycle.start();
    lifecycle.onConnected();
    lifecycle.onFailure(new Error("late"));
    expect([await outcome(started), calls]).toEqual(["resolved", ["begin"]]);
  });

  test("while stopping takes effect after the stop", async () => {
    const { lifecycle, calls } = newLifecycle();
    void lifecycle.start();
    const stopped = lifecycle.stop();
    const started = lifecycle.start();
    expect(lifecycle.start()).toBe(started);
    lifecycle.onConnected();
    expect([await outcome(stopped), await outcome(started)]).toEqual(["pending", "pending"]);
    lifecycle.onStopped();
    expect([await outcome(stopped), calls]).toEqual(["resolved", ["begin", "end", "begin"]]);
    lifecycle.onConnected();
    expect(await outcome(started)).toBe("resolved");
  });
});

describe("stop()", () => {
  test("rejects a start that has not finished", async () => {
    const { lifecycle, calls } = newLifecycle("worker");
    const started = lifecycle.start();
    const stopped = lifecycle.stop();
    const closed = "RequestError: the worker was stopped before a broker answered";
    expect([await outcome(started), await outcome(stopped)]).toEqual([closed, "pending"]);
    lifecycle.onStopped();
    expect([await outcome(stopped), calls]).toEqual(["resolved", ["begin", "end"]]);
    await lifecycle.stop();
  });

  test("cancels a start that waits for an earlier stop, and resolves with that stop", async () => {
    const { lifecycle, calls } = newLifecycle();
    void lifecycle.start();
    const stopped = lifecycle.stop();
    const started = lifecycle.start();
    expect(lifecycle.stop()).toBe(stopped);
    expect(await outcome(started)).toBe("RequestError: the client was stopped before a broker answered");
    lifecycle.onStopped();
    expect([await outcome(stopped), calls]).toEqual(["resolved", ["begin", "end"]]);
  });

  test("of a new client ends the requests that wait for its start; a new worker has none", async () => {
    const client = newLifecycle("client");
    const stopped = client.lifecycle.stop();
    expect([await outcome(stopped), client.calls]).toEqual(["pending", ["end"]]);
    const worker = newLifecycle("worker");
    expect([await outcome(worker.lifecycle.stop()), worker.calls, worker.lifecycle.isNew]).toEqual([
      "resolved",
      [],
      true,
    ]);
  });

  test("is not finished by a peer that does not stop", async () => {
    const { lifecycle } = newLifecycle();
    const started = lifecycle.start();
    lifecycle.onStopped();
    lifecycle.onConnected();
    expect(await outcome(started)).toBe("resolved");
  });
});

test("a start that no caller awaits is no unhandled rejection, and its stack shows who started", async () => {
  const { lifecycle } = newLifecycle();
  const started = startHere(lifecycle);
  lifecycle.onFailure(new Error("no such address"));
  await new Promise(setImmediate);
  await expect(started).rejects.toMatchObject({ stack: expect.stringContaining("startHere") });
});

function startHere(lifecycle: Lifecycle): Promise<void> {
  return lifecycle.start();
}
