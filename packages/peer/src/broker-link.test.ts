import { dealersOnly } from "@pigato/testkit";
import { type DealerHandlers, LinkError } from "@pigato/transport";
import { describe, expect, test } from "vitest";
import { BrokerLink } from "./broker-link.ts";
import { newSilentLogger } from "./guard.ts";

const MESSAGE = [Buffer.from("message")];

/** A link on a transport without a network, with its calls and reports as lines. */
function newLink(failsToConnect = false) {
  const lines: string[] = [];
  const dealers: DealerHandlers[] = [];
  const log = (line: string) => () => void lines.push(line);
  let ids = 0;
  const transport = dealersOnly((handlers, { routingId }) => {
    const number = dealers.push(handlers);
    return {
      connect: (address) => {
        lines.push(`${routingId} connects to ${address}`);
        if (failsToConnect) throw new Error("no such device");
      },
      send: () => {
        lines.push(`sent on ${number}`);
        return "slow";
      },
      close: async (lingerMs) => {
        lines.push(`closed ${number} with a linger of ${lingerMs}`);
        if (number === 1) throw new Error("not clean");
      },
    };
  });
  const link = new BrokerLink(
    { transport, security: undefined, logger: newSilentLogger(), newSocketId: () => `id${++ids}` },
    {
      onUp: (announcement) => lines.push(`up ${announcement}`),
      onAttemptFailed: log("attempt failed"),
      onLost: (reason) => lines.push(`lost: ${reason}`),
      onMessage: log("message"),
      onReceiving: log("receiving"),
      onOversized: log("oversized"),
      onUndelivered: log("undelivered"),
      onDrain: log("drain"),
      onFailed: (error, isFinal) => lines.push(`failed${isFinal ? " for good" : ""}: ${error.message}`),
      onRejected: (error, isFinal) => lines.push(`rejected${isFinal ? " for good" : ""}: ${error.message}`),
    },
  );
  const taken = (): string[] => lines.splice(0);
  return { link, dealers, taken };
}

/** Every event of a link. */
function report(dealer: DealerHandlers | undefined): void {
  dealer?.onUp?.({ announcement: "v1" });
  dealer?.onMessage(MESSAGE);
  dealer?.onReceiving?.();
  dealer?.onOversized?.({ frames: MESSAGE, detail: "too large" });
  dealer?.onUndelivered?.(MESSAGE);
  dealer?.onDrain?.();
  dealer?.onAttemptFailed?.(
    new LinkError("UNREACHABLE", "cannot connect to tcp://a:1: ECONNREFUSED", { address: "tcp://a:1" }),
  );
  dealer?.onRejected?.({ code: "ROUTING_ID", detail: "it belongs to another connection" });
  dealer?.onError?.(new LinkError("FAILED", "the socket failed"));
  dealer?.onDown?.();
}

const EVERY_EVENT = [
  "up v1",
  "message",
  "receiving",
  "oversized",
  "undelivered",
  "drain",
  "attempt failed",
  'rejected: connection to tcp://a:1 rejected: ROUTING_ID, it belongs to another connection (its id is "id1")',
  "lost: link-down",
  "failed: the socket failed",
  "lost: link-down",
];

describe("the link to the broker", () => {
  test("reports every event of the current link, and none of an earlier one", () => {
    const { link, dealers, taken } = newLink();
    link.open("tcp://a:1");
    expect(taken()).toEqual(["id1 connects to tcp://a:1"]);
    report(dealers[0]);
    expect(taken()).toEqual(EVERY_EVENT);
    link.close(false);
    report(dealers[0]);
    link.open("tcp://b:2");
    report(dealers[0]);
    expect(taken()).toEqual(["closed 1 with a linger of 0", "id2 connects to tcp://b:2"]);
    expect([link.address, link.socketId]).toEqual(["tcp://b:2", "id2"]);
  });

  test("sends on the current link only", () => {
    const { link, taken } = newLink();
    expect(link.send(MESSAGE)).toBeUndefined();
    link.open("tcp://a:1");
    expect(link.send(MESSAGE)).toBe("slow");
    link.close(true);
    link.close(true);
    expect(link.send(MESSAGE)).toBeUndefined();
    expect(taken()).toEqual(["id1 connects to tcp://a:1", "sent on 1", "closed 1 with a linger of undefined"]);
  });

  test("waits for every closed link, even if one does not close cleanly", async () => {
    const { link } = newLink();
    for (const address of ["tcp://a:1", "tcp://b:2"]) {
      link.open(address);
      link.close(true);
    }
    await expect(link.closed()).resolves.toBeUndefined();
  });

  test("reports a rejection once until it changes or a link is up", () => {
    const { link, dealers, taken } = newLink();
    link.open("tcp://a:1");
    taken();
    const deny = () => dealers[0]?.onRejected?.({ code: "DENIED", detail: "unknown key" });
    deny();
    deny();
    dealers[0]?.onUp?.({});
    deny();
    const denied = "rejected for good: connection to tcp://a:1 rejected: DENIED, unknown key";
    expect(taken()).toEqual([denied, "up undefined", denied]);
  });

  test("fails for good with an address that the transport cannot use", () => {
    const { link, taken } = newLink(true);
    link.open("tcp://a:1");
    expect(taken()).toEqual([
      "id1 connects to tcp://a:1",
      "lost: unreachable",
      "failed for good: cannot connect to tcp://a:1: no such device",
    ]);
    expect(link.lastFailure?.message).toBe("cannot connect to tcp://a:1: no such device");
    expect(link.obstacle).toBe("no broker reached at tcp://a:1: no such device");
  });

  test("says why no broker has answered", () => {
    const { link, dealers } = newLink();
    link.open("tcp://a:1");
    expect(link.obstacle).toBe("no broker reached at tcp://a:1: it did not answer");
    report({ onMessage: () => {}, ...dealers[0] });
    dealers[0]?.onUp?.({});
    expect([link.lastFailure, link.obstacle]).toEqual([
      undefined,
      'tcp://a:1 accepted the connection and did not answer: it may be no broker, or know another peer with the id "id1"',
    ]);
  });
});
