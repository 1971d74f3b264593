import { setImmediate } from "node:timers/promises";
import { pigato, readText, requestId, writeText } from "@pigato/protocol";
import type { DealerLink } from "@pigato/transport";
import { expect, test } from "vitest";
import { Outgoing } from "./outgoing.ts";
import type { Partial } from "./session/partials.ts";

function part(text: string): Partial {
  const named = { type: "partial" as const, address: "~1", requestId: requestId("r1") };
  return { ...named, status: 0, body: [writeText(text)], trailer: [writeText("{}")] };
}

function linkTo(lines: string[]): DealerLink {
  return {
    connect() {},
    async close() {},
    send(frames) {
      lines.push(frames.map((frame) => (typeof frame === "string" ? frame : readText(frame))).join(" "));
      return "queued";
    },
  };
}

test("what waits for one link leaves by no other", async () => {
  const [first, second]: [string[], string[]] = [[], []];
  const outgoing = new Outgoing(pigato, () => {});
  outgoing.link = linkTo(first);
  outgoing.send(part("1"), false, true);
  outgoing.link = linkTo(second);
  outgoing.send(part("2"), false, true);
  await setImmediate();
  expect([first, second]).toEqual([[], ["W 6 ~1  r1 0 2 {}"]]);
});
