// Deadlines and other tags that are invalid, repeated or too many, and options that are too large or too deep: from raw clients, and
// deadlines from the client's API.

import { describe, expect, test } from "vitest";
import { startClient, startWorker } from "../support/start.ts";
import { endOf, rawClient, rawWorker, startWitnessed, TRANSPORTS } from "./witness.ts";

/** Are no deadlines, and travel on as frames that mean nothing. */
const NO_DEADLINES = ["0", "-1", "05", "1.5", "NaN", "Infinity", "1e3", "0x10", "", " 5", "9007199254740992"];

describe.each(TRANSPORTS)("over %s", (transport) => {
  test("a frame that only resembles a deadline is none", async () => {
    const { address, during } = await startWitnessed({ transport });
    const deadlines: unknown[] = [];
    await startWorker(address, "own", (_data, reply) => deadlines.push(reply.info.deadline));
    const raw = await rawClient(address, "deadline headers error");
    await during(async () => {
      for (const text of NO_DEADLINES) {
        await raw.send("C", "2", "own", `r ${text}`, "1", "{}", `deadline=${text}`, 'headers={"a":"1"}');
        expect((await endOf(raw, `r ${text}`)).status).toBe("0");
      }
      await raw.send("C", "2", "own", "longest", "1", "{}", "deadline=999999999999999", "deadline=1");
      expect((await endOf(raw, "longest")).status).toBe("0");
    });
    expect(deadlines.slice(0, -1)).toEqual(NO_DEADLINES.map(() => undefined));
    expect(deadlines.at(-1)).toBeInstanceOf(Date);
  });

  test("a tag counts once, and what is behind it is passed on", async () => {
    const { address, during } = await startWitnessed({ transport });
    const worker = await rawWorker(address, "raw", "deadline headers credit");
    const raw = await rawClient(address, "deadline headers credit error");
    const tags = ["credit=3", "deadline=60000", 'headers={"a":"1"}'];
    const unknown = Array.from({ length: 50 }, (_, index) => `tag${index}=1`);
    await during(async () => {
      for (const [id, sent, received] of [
        ["twice", [...tags, ...tags], [...tags, "deadline=60000", 'headers={"a":"1"}']],
        ["backwards", [...tags].reverse(), [...tags].reverse()],
        ["of the broker", ["caller=admin", ...tags, "attempt=7", "caller="], tags],
        ["unknown", unknown, unknown],
      ] as const) {
        await raw.send("C", "2", "raw", id, "1", "{}", ...sent);
        const [, , token = "", , , , , , ...others] = await worker.receive("W", "2", "*", "raw", "", id);
        // Some time may have passed.
        const shown = others.map((frame) => frame.replace(/^deadline=\d+$/, "deadline=60000"));
        expect([id, shown]).toEqual([id, received]);
        await worker.send("W", "3", token, "", id, "0", "1");
        expect((await endOf(raw, id)).status).toBe("0");
      }
    });
  });

  test("57 tags are too many frames and fail their request, and 60 are dropped unread", async () => {
    const { address, during, violations } = await startWitnessed({ transport });
    const raw = await rawClient(address, "deadline headers error");
    const tags = ["deadline=5", "caller=admin", "tag=1", ""];
    await during(async () => {
      for (const tag of tags) {
        const request = (id: string, count: number): Promise<void> =>
          raw.send("C", "2", "witness", id, "1", "{}", ...new Array<string>(count).fill(tag));
        await request(`57 ${tag}`, 57);
        expect(await endOf(raw, `57 ${tag}`)).toMatchObject({ value: { code: "INVALID", delivery: "not-sent" } });
        await request(`60 ${tag}`, 60);
        await raw.roundTrip();
        expect(raw.received).toEqual([]);
      }
    });
    expect(violations.map(({ clause }) => clause)).toEqual(new Array(2 * tags.length).fill("P-MSG-2"));
  });

  test("options of 1 MB fail their request, and deep ones within the bound are the defaults or are passed on", async () => {
    const { address, during } = await startWitnessed({ transport });
    const raw = await rawClient(address, "methods deadline headers error");
    const large = JSON.stringify({ method: "run", note: "x".repeat(1_000_000) });
    const nested = "[".repeat(500_000) + "]".repeat(500_000);
    const deep = "[".repeat(32_000) + "]".repeat(32_000);
    await during(async () => {
      for (const [id, options] of [
        ["large", large],
        ["nested", nested],
        ["headers", `{"headers":${nested}}`],
      ] as const) {
        await raw.send("C", "2", "witness", id, "1", options);
        expect(await endOf(raw, id)).toMatchObject({ value: { code: "INVALID", delivery: "not-sent" } });
      }
      for (const [id, options] of [
        ["deep", deep],
        ["deep headers", `{"headers":${deep}}`],
        ["deep note", `{"note":${deep},"timeout":{"a":1},"acceptTimeout":"soon","retry":${"1".repeat(300)}}`],
        ["numbers", '{"timeout":1e308,"acceptTimeout":1e308,"cache":-1}'],
      ] as const) {
        await raw.send("C", "2", "witness", id, '"data"', options);
        expect([id, await endOf(raw, id)]).toEqual([id, { status: "0", value: "data" }]);
      }
      await raw.send("C", "2", "witness", "method", "1", `{"method":${deep}}`);
      expect(await endOf(raw, "method")).toMatchObject({ value: { code: "INVALID", delivery: "not-sent" } });
    });
  });
});

test.each([
  ["NaN", Number.NaN],
  ["a negative number", -1],
  ["2 ** 53", 2 ** 53],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["an invalid Date", new Date(Number.NaN)],
])("a client refuses %s as a deadline, with and without interceptors", async (_what, deadline) => {
  const { address, during } = await startWitnessed();
  const client = await startClient(address);
  const call = (): Promise<unknown> => client.call("witness", 1, { deadline });
  await during(async () => {
    await expect(call()).rejects.toMatchObject({ name: "UsageError" });
    client.use((next) => next);
    await expect(call()).rejects.toMatchObject({ name: "UsageError" });
  });
});

test.each([
  ["0", 0],
  ["a Date that has passed", new Date(0)],
])("a call with %s as its deadline fails at once, with and without interceptors", async (_what, deadline) => {
  const { address, broker, during } = await startWitnessed();
  const client = await startClient(address);
  const fails = async (): Promise<void> => {
    const called = client.call("witness", 1, { deadline });
    await expect(called).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED", delivery: "not-sent" });
  };
  await during(async () => {
    await fails();
    client.use((next) => next);
    await fails();
  });
  expect(broker.stats()).toMatchObject({ open: 0, expired: 0 });
});
