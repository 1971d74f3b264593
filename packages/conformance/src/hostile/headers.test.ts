// Headers that are too long, that have control characters, or that are no headers: from the client's API, from raw clients to workers of
// each kind, and from raw workers to the client's interceptors.

import { describe, expect, test } from "vitest";
import { FORMS } from "../dialects/forms.ts";
import { connectRawPeer, startClient, startWorker } from "../support/start.ts";
import { endOf, rawClient, rawWorker, startWitnessed, TRANSPORTS } from "./witness.ts";

const LONG = "x".repeat(8_192);

/** As frames of a raw client, with the delivery of the failure: the broker refuses what is too long, the worker anything else. */
const FRAMES: readonly (readonly [what: string, headers: string, delivery?: string])[] = [
  ["of 8 KB", `{"a":"${LONG}"}`, "not-sent"],
  ["of 1 MB", `{"a":"${"x".repeat(1_000_000)}"}`, "not-sent"],
  [
    "a thousand of 10 bytes",
    JSON.stringify(Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`h${at}`, "x"]))),
    "not-sent",
  ],
  ["with NUL", '{"a":"1\\u0000"}'],
  ["with a newline", '{"a":"1\\r\\nb: 2"}'],
  ["with a raw newline", '{"a":"1\n"}'],
  ["with a newline in a name", '{"a\\nb":"1"}'],
  ["without a name", '{"":"1"}'],
  ["that are an array", '["a"]'],
  ["that are nested", '{"a":{"b":"c"}}'],
  ["that are deep", "[".repeat(4_000) + "]".repeat(4_000)],
  ["that are empty", ""],
];

describe.each(TRANSPORTS)("over %s", (transport) => {
  test("a raw client with invalid headers loses that request, whatever its worker is", async () => {
    const { address, during } = await startWitnessed({ transport });
    const seen: unknown[] = [];
    await startWorker(address, "own", (_data, reply) => seen.push(reply.info.headers));
    const raw = await rawClient(address, "headers error");
    await during(async () => {
      for (const [what, headers, delivery] of FRAMES) {
        await raw.send("C", "2", "own", what, "1", "{}", `headers=${headers}`);
        const { value } = await endOf(raw, what);
        expect([what, value]).toMatchObject([what, { code: "INVALID", ...(delivery && { delivery }) }]);
      }
      await raw.send("C", "2", "own", "valid", "1", "{}", 'headers={"a":"1"}', "headers={", 'headers={"a":"2"}');
      await endOf(raw, "valid");
    });
    expect(seen).toEqual([{ a: "1" }]);
  });

  test("a worker that knows no headers finds them in the options only if they are JSON", async () => {
    const { address, during } = await startWitnessed({ transport });
    const old = connectRawPeer(address);
    await old.send("W", "1", "old");
    await old.receive("W", "1");
    await old.send("W", "4", "", '{"concurrency":100}');
    const raw = await rawClient(address, "headers error");
    await during(async () => {
      for (const [what, headers, delivery] of FRAMES) {
        await raw.send("C", "2", "old", what, "1", '{"retry":0}', `headers=${headers}`);
        if (delivery !== undefined) continue;
        const [, , token = "", , , id = "", , options = ""] = await old.receive("W", "2");
        expect(id).toBe(what);
        const parsed: unknown = JSON.parse(options);
        expect(parsed).toMatchObject({ retry: 0 });
        await old.send("W", "3", token, "", id, "0", "1", "{}");
        expect(await endOf(raw, what)).toEqual({ status: "0", value: 1 });
      }
    });
  });

  test.each(FORMS)("a worker of $name gets the data alone", async ({ worker: { ready, request, final } }) => {
    const { address, during } = await startWitnessed({ transport });
    const foreign = connectRawPeer(address);
    await foreign.send(...ready, "mdp");
    const raw = await rawClient(address, "headers error");
    await during(async () => {
      await raw.send("C", "2", "mdp", "r1", '"data"', "{}", 'headers={"a":"1\\u0000\\r\\n"}');
      const received = await foreign.receive(...request);
      expect(received.slice(request.length + 1)).toEqual(["", '"data"']);
      await foreign.send(...final, received[request.length] ?? "", "", '"done"');
      expect(await endOf(raw, "r1")).toEqual({ status: "0", value: "done" });
    });
  });

  test("the client's interceptors get no invalid header of a reply", async () => {
    const { address, during } = await startWitnessed({ transport });
    const worker = await rawWorker(address, "hostile", "headers");
    const client = await startClient(address);
    const seen: unknown[] = [];
    client.use((next) => async (request) => {
      const reply = await next(request);
      seen.push([reply.headers.toJSON(), reply.trailers.toJSON()]);
      return reply;
    });
    const sent = [
      '{"headers":{"a":"1\\u0000","b\\n":"2","":"3","c":4,"ok":"yes"},"trailers":{"t":"1\\n","ok":"yes"}}',
      `{"headers":{"a":"${LONG}","ok":"yes"},"trailers":{"ok":"yes"}}`,
      `{"headers":{"ok":"${"x".repeat(70_000)}"}}`,
      '{"headers":["a"],"trailers":"text"}',
      '{"headers":{"__proto__":"1"},"trailers":{"constructor":"2"}}',
      "[".repeat(10_000),
    ];
    await during(async () => {
      for (const options of sent) {
        const called = client.call("hostile");
        const [, , token = "", , , id = ""] = await worker.receive("W", "2");
        await worker.send("W", "3", token, "", id, "0", "1", options);
        expect(await called).toBe(1);
      }
    });
    const [ok, none] = [{ ok: "yes" }, {}];
    const own = [JSON.parse('{"__proto__":"1"}'), { constructor: "2" }];
    expect(seen).toEqual([[ok, ok], [ok, ok], [none, none], [none, none], own, [none, none]]);
  });
});

test("a client that negotiated no headers passes only valid ones in its options", async () => {
  const { address, during } = await startWitnessed();
  await startWorker(address, "own", (_data, reply) => reply.info.headers);
  const classic = connectRawPeer(address);
  const valid = { a: "1" };
  const sent: readonly (readonly [headers: unknown, seen: object])[] = [
    [valid, valid],
    [{ a: "1\0" }, {}],
    [{ a: "1\r\nb: 2" }, {}],
    [{ "a\n": "1" }, {}],
    [{ a: LONG }, {}],
    [{ a: 1 }, {}],
  ];
  await during(async () => {
    for (const [index, [headers, seen]] of sent.entries()) {
      await classic.send("C", "2", "own", `r${index}`, "1", JSON.stringify({ headers }));
      expect(await endOf(classic, `r${index}`)).toEqual({ status: "0", value: seen });
    }
    await classic.send("C", "2", "own", "tagged", "1", "{}", 'headers={"admin":"yes"}');
    expect(await endOf(classic, "tagged")).toEqual({ status: "0", value: { admin: "yes" } });
  });
});

test.each([
  ["NUL", { a: "1\0" }],
  ["a newline", { a: "1\nb: 2" }],
  ["a newline in a name", { "a\n": "1" }],
  ["no name", { "": "1" }],
  ["one name twice", { a: "1", A: "2" }],
  ["8 KB", { a: LONG }],
  ["8 KB in all", Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`header-${at}`, "x"]))],
])("a client refuses to send headers with %s", async (_what, headers) => {
  const { address, broker, during } = await startWitnessed();
  const client = await startClient(address);
  await during(() => expect(client.call("witness", 1, { headers })).rejects.toMatchObject({ name: "UsageError" }));
  client.use((next) => (request) => next(request.with({ headers })));
  if (new Set(Object.keys(headers).map((name) => name.toLowerCase())).size < Object.keys(headers).length) return;
  await expect(client.call("witness", 1)).rejects.toMatchObject({ name: "UsageError" });
  expect(broker.stats()).toMatchObject({ open: 0 });
});
