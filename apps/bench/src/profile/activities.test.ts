import { expect, test } from "vitest";
import { activityShares } from "./activities.ts";

const IDLE = { functionName: "(idle)", url: "" };

function shares(...frames: readonly { readonly functionName: string; readonly url: string }[]) {
  const nodes = [IDLE, ...frames].map((callFrame, id) => ({ id, callFrame }));
  return [...activityShares({ nodes, samples: nodes.map(({ id }) => id), timeDeltas: nodes.map(({ id }) => 1 + id) })];
}

test.each([
  ["packages/transport/dist/zmtp/frame-reader.js", "ZMTP: bytes to frames"],
  ["packages/transport/src/zmtp/frame-writer.ts", "ZMTP: frames to bytes"],
  ["packages/transport/dist/zmtp/dealer.js", "links, calls, replies"],
  ["packages/protocol/dist/payload.js", "JSON"],
  ["packages/protocol/dist/dialects/pigato/decode.js", "codec: frames to messages and back"],
  ["packages/protocol/dist/deadlines.js", "core and sessions"],
  ["packages/broker/dist/core/core.js", "core and sessions"],
  ["packages/broker/dist/run.js", "links, calls, replies"],
  ["apps/bench/dist/compare/burst.js", "benchmark"],
])("code in %s counts as: %s", (file, activity) => {
  expect(shares({ functionName: "any", url: `file:///anywhere/${file}` })).toEqual([[activity, 1]]);
});

test.each([
  ["(garbage collector)", "", "garbage collection"],
  ["writeBuffer", "", "kernel: write, read, wake processes"],
  ["onStreamRead", "node:internal/stream_base_commons", "Node: sockets, streams, event loop"],
])("%s %s counts as: %s", (functionName, url, activity) => {
  expect(shares({ functionName, url })).toEqual([[activity, 1]]);
});

test("idle time does not count", () => {
  const garbage = { functionName: "(garbage collector)", url: "" };
  const json = { functionName: "parse", url: "file:///packages/protocol/dist/payload.js" };
  expect(shares(garbage, json)).toEqual([
    ["garbage collection", 0.4],
    ["JSON", 0.6],
  ]);
});
