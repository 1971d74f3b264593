// Requests that call a method, and what varies from request to request: P-CALL and P-TAG.

import type { FromClient, ToWorker } from "@pigato/protocol";
import { type Entry, request } from "./vector.ts";

export const TAGGED_FROM_CLIENT: readonly Entry<FromClient>[] = [
  {
    name: "a method, with the array of its arguments",
    row: "1",
    clause: "P-CALL-1",
    ways: "both",
    frames: ["C", "2", "math", "r1", "[1,2]", '{"method":"add","args":1,"codec":"json"}'],
    message: request("math", "r1", "[1,2]", ['{"method":"add","args":1,"codec":"json"}'], {
      method: "add",
      hasArgs: true,
    }),
  },
  {
    name: "a method with a codec, and another one for the reply",
    row: "1",
    clause: "P-CALL-1",
    ways: "both",
    frames: ["C", "2", "math", "r1", "\x81\xa1", '{"method":"add","codec":"msgpack","accept":"raw"}'],
    message: request("math", "r1", "\x81\xa1", ['{"method":"add","codec":"msgpack","accept":"raw"}'], {
      method: "add",
      codec: "msgpack",
      accept: "raw",
      inputCodec: "raw",
    }),
  },
  {
    name: "a method with a control character, which the broker rejects if the client negotiated methods",
    row: "1",
    clause: "P-CALL-1",
    ways: "both",
    frames: ["C", "2", "math", "r1", "1", '{"method":"a\\u0000"}'],
    message: request("math", "r1", "1", ['{"method":"a\\u0000"}'], {
      flaw: "its method is not text of 1 to 255 bytes without control characters",
    }),
  },
  {
    name: "a deadline",
    row: "1",
    clause: "P-TAG-2",
    ways: "both",
    frames: ["C", "2", "echo", "r1", '"foo"', "{}", "deadline=1500"],
    message: { ...request("echo", "r1", '"foo"', ["{}"]), deadlineMs: 1_500 },
  },
  {
    name: "headers",
    row: "1",
    clause: "P-TAG-3",
    ways: "both",
    frames: ["C", "2", "echo", "r1", '"foo"', "{}", 'headers={"trace":"1-2"}'],
    message: { ...request("echo", "r1", '"foo"', ["{}", 'headers={"trace":"1-2"}']), hasHeaders: true },
  },
  {
    name: "all tags of a client, before other frames",
    row: "1",
    clause: "P-TAG-1",
    ways: "both",
    frames: ["C", "2", "rows", "r1", '"foo"', "{}", "credit=16", "deadline=1", "headers={}", "trace"],
    message: {
      ...request("rows", "r1", '"foo"', ["{}", "headers={}", "trace"]),
      credit: 16,
      deadlineMs: 1,
      hasHeaders: true,
    },
  },
  {
    name: "frames that only resemble tags, or are in another order, are passed on",
    row: "1",
    clause: "P-TAG-1",
    ways: "both",
    frames: ["C", "2", "rows", "r1", '"foo"', "{}", "deadline=0", "deadline=05", "deadline=5", "headers={}"],
    message: request("rows", "r1", '"foo"', ["{}", "deadline=0", "deadline=05", "deadline=5", "headers={}"]),
  },
  {
    name: "the broker's tags from a client are dropped",
    row: "1",
    clause: "P-TAG-4",
    ways: "decode",
    frames: ["C", "2", "rows", "r1", '"foo"', "{}", "caller=admin", "trace", "attempt=2", "caller="],
    message: request("rows", "r1", '"foo"', ["{}", "trace"]),
  },
];

export const TAGGED_TO_WORKER: readonly Entry<ToWorker>[] = [
  {
    name: "all tags, and other frames of the client",
    row: "2",
    clause: "P-TAG-1",
    ways: "both",
    frames: [
      ...["W", "2", "~1", "rows", "", "r1", '"foo"', "{}", "credit=16", "deadline=20"],
      ...["caller=alice", "attempt=2", 'headers={"trace":"1-2"}', "trace"],
    ],
    message: {
      ...request("rows", "r1", '"foo"', ["{}", 'headers={"trace":"1-2"}', "trace"]),
      address: "~1",
      credit: 16,
      deadlineMs: 20,
      caller: "alice",
      attempt: 2,
      hasHeaders: true,
    },
  },
  {
    name: "the caller of a request",
    row: "2",
    clause: "P-TAG-4",
    ways: "both",
    frames: ["W", "2", "~1", "rows", "", "r1", '"foo"', "{}", "caller=caf\xc3\xa9"],
    message: { ...request("rows", "r1", '"foo"', ["{}"]), address: "~1", caller: "caf\xc3\xa9" },
  },
  {
    name: "the second attempt of a request",
    row: "2",
    clause: "P-TAG-5",
    ways: "both",
    frames: ["W", "2", "~1", "rows", "", "r1", '"foo"', "{}", "attempt=2"],
    message: { ...request("rows", "r1", '"foo"', ["{}"]), address: "~1", attempt: 2 },
  },
  {
    name: "a caller that is too long is any other frame",
    row: "2",
    clause: "P-TAG-4",
    ways: "decode",
    frames: ["W", "2", "~1", "rows", "", "r1", '"foo"', "{}", `caller=${"c".repeat(256)}`],
    message: { ...request("rows", "r1", '"foo"', ["{}", `caller=${"c".repeat(256)}`]), address: "~1" },
  },
  {
    name: "a method for a worker that does not read it from the options: the body is JSON in the form of butler",
    row: "2",
    clause: "P-CALL-2",
    ways: "encode",
    frames: [
      "W",
      "2",
      "~1",
      "math",
      "",
      "r1",
      '{"args":[1,2],"kwargs":{},"method":"add"}',
      '{"method":"add","args":1}',
    ],
    message: {
      ...request("math", "r1", "[1,2]", ['{"method":"add","args":1}'], { method: "add", hasArgs: true }),
      address: "~1",
      hasMethodInBody: true,
    },
  },
];
