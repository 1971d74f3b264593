import { expect, test } from "vitest";
import { sharesOf } from "./shares.ts";

const IDLE = { functionName: "(idle)", url: "" };

function shares(...frames: readonly { readonly functionName: string; readonly url: string }[]) {
  const nodes = [IDLE, ...frames].map((callFrame, id) => ({ id, callFrame }));
  return [...sharesOf({ nodes, samples: nodes.map(({ id }) => id), timeDeltas: nodes.map(({ id }) => 1 + id) })];
}

test.each([
  ["packages/transport/dist/zmtp/frame-reader.js", "bytes to frames"],
  ["packages/transport/src/zmtp/frame-writer.ts", "frames to bytes"],
  ["packages/transport/dist/zmtp/dealer.js", "links, callers, replies"],
  ["packages/protocol/dist/payload.js", "JSON"],
  ["packages/protocol/dist/dialects/pigato/decode.js", "frames to messages and back"],
  ["packages/protocol/dist/deadlines.js", "deciding: the core and the sessions"],
  ["packages/broker/dist/core/core.js", "deciding: the core and the sessions"],
  ["packages/broker/dist/run.js", "links, callers, replies"],
  ["apps/bench/dist/compare/burst.js", "the benchmark itself"],
])("what is done in %s is: %s", (file, work) => {
  expect(shares({ functionName: "any", url: `file:///anywhere/${file}` })).toEqual([[work, 1]]);
});

test.each([
  ["(garbage collector)", "", "collecting garbage"],
  ["writeBuffer", "", "the kernel: writing, reading, waking others"],
  ["onStreamRead", "node:internal/stream_base_commons", "Node's sockets, streams and event loop"],
])("%s %s is: %s", (functionName, url, work) => {
  expect(shares({ functionName, url })).toEqual([[work, 1]]);
});

test("shares are of the time in which something was done", () => {
  const garbage = { functionName: "(garbage collector)", url: "" };
  const json = { functionName: "parse", url: "file:///packages/protocol/dist/payload.js" };
  expect(shares(garbage, json)).toEqual([
    ["collecting garbage", 0.4],
    ["JSON", 0.6],
  ]);
});
