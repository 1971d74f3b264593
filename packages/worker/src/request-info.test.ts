import { NO_CAPABILITIES, requestId, serviceName, writeText } from "@pigato/protocol";
import { parseRequestOptions, writeHeaders } from "@pigato/protocol/internal";
import { FakeClock } from "@pigato/testkit";
import { describe, expect, test } from "vitest";
import { infoOf, NO_INFO, type RequestInfo } from "./request-info.ts";
import type { WorkerRequest } from "./session/effects.ts";
import { trusted } from "./session/options.ts";

const clock = new FakeClock();

function requestWith(tags: Partial<WorkerRequest>, options = "{}", headers?: string): WorkerRequest {
  return {
    type: "request",
    service: serviceName("echo"),
    address: "~1",
    requestId: requestId("r1"),
    body: [writeText("1")],
    trailer: [writeText(options), ...(headers === undefined ? [] : [writeHeaders(headers)])],
    options: parseRequestOptions(options),
    ...(headers === undefined ? {} : { hasHeaders: true }),
    ...tags,
  };
}

function infoWith(tags: Partial<WorkerRequest>, options?: string, headers?: string): RequestInfo {
  return infoOf(requestWith(tags, options, headers), clock);
}

describe("what came with a request", () => {
  test("is shared by all requests that say nothing", () => {
    expect(infoWith({}, '{"timeout":5}')).toBe(NO_INFO);
    expect(NO_INFO).toMatchObject({ headers: {}, deadline: undefined, caller: undefined, attempt: 1 });
    expect(NO_INFO.timeLeft()).toBe(Number.POSITIVE_INFINITY);
  });

  test("has never more time left than came with it", () => {
    const late = new FakeClock();
    late.advance(1000.3);
    expect(infoOf(requestWith({ deadlineMs: 200 }), late).timeLeft()).toBe(200);
  });

  test("is its deadline, as an instant and as the time that is left", () => {
    const before = Date.now();
    const info = infoWith({ deadlineMs: 500 });
    const deadline = info.deadline?.getTime() ?? 0;
    expect(deadline).toBeGreaterThanOrEqual(before + 500);
    expect(deadline).toBeLessThanOrEqual(Date.now() + 500);
    expect(info.timeLeft()).toBe(500);
    clock.advance(200);
    expect(info.timeLeft()).toBe(300);
    clock.advance(400);
    expect(info.timeLeft()).toBe(0);
  });

  test("is who sent it, and how often", () => {
    expect(infoWith({ caller: "caf\xc3\xa9", attempt: 3 })).toMatchObject({ caller: "café", attempt: 3 });
  });

  test.each([
    ["in their own frame", undefined, '{"Trace":"1","__proto__":"2"}'],
    ["in the options", '{"headers":{"Trace":"1","__proto__":"2"}}', undefined],
  ])("is its headers %s, with names in lower case", (_, options, headers) => {
    const info = infoWith({}, options, headers);
    expect(Object.entries(info.headers)).toEqual([
      ["trace", "1"],
      ["__proto__", "2"],
    ]);
    expect(Object.isFrozen(info.headers)).toBe(true);
  });

  test.each(["[]", "1", "{", '{"a":1}', '{"a":{}}', "", `{"a":"${"x".repeat(8_192)}"}`])(
    "cannot be the headers %s, which fail the request",
    (headers) => {
      expect(() => infoWith({}, "{}", headers)).toThrow("its headers are no object of strings");
    },
  );

  test.each(['{"a":"1\\u0000"}', '{"a":"1\\r\\nb: 2"}', '{"a\\n":"1"}', '{"":"1"}'])(
    "cannot be the headers %s, which could be read as others where they are passed on",
    (headers) => {
      expect(() => infoWith({}, "{}", headers)).toThrow("control characters, or without a name");
    },
  );

  test.each([
    ...['{"headers":1}', '{"headers":{"a":1}}', '{"headers":[]}', '{"headers":{"":"1"}}'],
    ...['{"headers":{"a":"1\\u0000"}}', '{"headers":{"a":"1\\r\\nb: 2"}}', '{"headers":{"a\\n":"1"}}'],
    `{"headers":{"a":"${"x".repeat(8_192)}"}}`,
  ])("is no headers if an old client has another option of that name: %s", (options) => {
    expect(infoWith({}, options).headers).toEqual({});
  });
});

describe("tags that were not negotiated", () => {
  const request = requestWith({ deadlineMs: 5, caller: "admin", attempt: 2 }, "{}", '{"a":"1"}');

  test("are ignored, because an old broker passes them on from clients", () => {
    const read = trusted(request, NO_CAPABILITIES);
    expect(read).toMatchObject({ deadlineMs: undefined, caller: undefined, attempt: undefined, hasHeaders: false });
    expect(trusted(request, { ...NO_CAPABILITIES, headers: true })).toEqual({ ...request, deadlineMs: undefined });
  });

  test("cost nothing if there are none, or if all were negotiated", () => {
    const plain = requestWith({});
    expect(trusted(plain, NO_CAPABILITIES)).toBe(plain);
    expect(trusted(request, { ...NO_CAPABILITIES, deadline: true, headers: true })).toBe(request);
  });
});
