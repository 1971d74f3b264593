// Failures that the broker makes, to a client that negotiated them.

import { requestId, type ToClient } from "@pigato/protocol";
import { type Entry, reply } from "./vector.ts";

export const FAILURES: readonly Entry<ToClient>[] = [
  {
    name: "a request needs a capability that its worker did not negotiate",
    row: "error",
    clause: "P-FAIL-7",
    ways: "both",
    frames: [
      "C",
      "3",
      "",
      "r1",
      "-1",
      '{"code":"INVALID","message":"no input","delivery":"queued","detail":{"missing":"duplex","peer":"worker"}}',
      '{"origin":"broker"}',
    ],
    message: {
      type: "failure",
      requestId: requestId("r1"),
      failure: {
        code: "INVALID",
        message: "no input",
        delivery: "queued",
        detail: { missing: "duplex", peer: "worker" },
      },
    },
  },
  {
    name: "a failure made by the broker",
    row: "error",
    clause: "P-FAIL-1",
    ways: "both",
    frames: [
      "C",
      "3",
      "",
      "r1",
      "-1",
      '{"code":"INVALID","message":"too long","delivery":"not-sent","detail":"P-REQ-3"}',
      '{"origin":"broker"}',
    ],
    message: {
      type: "failure",
      requestId: requestId("r1"),
      failure: { code: "INVALID", message: "too long", delivery: "not-sent", detail: "P-REQ-3" },
    },
  },
  {
    name: "a failure without a detail",
    row: "error",
    clause: "P-FAIL-1",
    ways: "both",
    frames: [
      "C",
      "3",
      "",
      "r1",
      "-1",
      '{"code":"WORKER_LOST","message":"gone","delivery":"maybe-executed"}',
      '{"origin":"broker"}',
    ],
    message: {
      type: "failure",
      requestId: requestId("r1"),
      failure: { code: "WORKER_LOST", message: "gone", delivery: "maybe-executed" },
    },
  },
  {
    name: "an unknown code and delivery: not safe to retry",
    row: "error",
    clause: "P-FAIL-3",
    ways: "decode",
    frames: [
      "C",
      "3",
      "",
      "r1",
      "-1",
      '{"code":"TIRED","message":"zzz","delivery":"by-owl","constructor":1}',
      '{"origin":"broker"}',
    ],
    message: {
      type: "failure",
      requestId: requestId("r1"),
      failure: { code: "INVALID", message: "zzz", delivery: "maybe-executed" },
    },
  },
  {
    name: "a failure that is not an object",
    row: "error",
    clause: "P-FAIL-3",
    ways: "decode",
    frames: ["C", "3", "", "r1", "-1", "{oops", '{"origin":"broker"}', "more"],
    message: {
      type: "failure",
      requestId: requestId("r1"),
      failure: {
        code: "INVALID",
        message: "the broker failed the request without a message",
        delivery: "maybe-executed",
      },
    },
  },
  {
    name: "the broker's mark on a success is ignored",
    row: "error",
    clause: "P-FAIL-1",
    ways: "both",
    frames: ["C", "3", "", "r1", "0", "1", '{"origin":"broker"}'],
    message: reply("final", "r1", 0, "1", ['{"origin":"broker"}']),
  },
  {
    name: "the broker's mark on a partial is ignored",
    row: "error",
    clause: "P-FAIL-1",
    ways: "both",
    frames: ["C", "6", "", "r1", "-1", "1", '{"origin":"broker"}'],
    message: reply("partial", "r1", -1, "1", ['{"origin":"broker"}']),
  },
];
