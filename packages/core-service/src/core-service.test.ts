// When a core service answers: over a network in memory, with a broker that says what the test wants it to say.

import { peerId, readText, type ServiceName, serviceName, writeText } from "@pigato/protocol";
import { encodeDirectory } from "@pigato/protocol/internal";
import { MemoryNetwork, type MemoryRouter } from "@pigato/testkit";
import type { PublisherLink } from "@pigato/transport";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CoreService } from "./core-service.ts";

const BROKER = "memory://broker";
const CHANNEL = "memory://channel";

let network: MemoryNetwork;
let router: MemoryRouter;
let publisher: PublisherLink;
let service: CoreService;
let answers: string[];
let onAnswer: () => void;

beforeEach(async () => {
  network = new MemoryNetwork({ auto: true });
  answers = [];
  onAnswer = () => {};
  router = network.router({
    onMessage: (peer, frames) => {
      const [, type = "", , , , , data = ""] = frames.map(readText);
      // READY and heartbeats are answered by the same.
      if (type === "1" || type === "4") router.send(peer, [writeText("W"), writeText(type)]);
      if (type !== "3") return;
      answers.push(data);
      onAnswer();
    },
  });
  await router.bind(BROKER);
  publisher = network.publisher();
  await publisher.bind(CHANNEL);
  service = new CoreService(BROKER, "$names", {
    intch: CHANNEL,
    transport: network,
    onRequest: (_data, reply, services) => reply.end([...services.keys()]),
  });
});

afterEach(() => service.stop());

test("a request that comes before the service is known to the broker's directory waits until it is", async () => {
  const started = service.start();
  await connected();
  publish({ old: ["w1"] });
  request("r1");
  await turns();
  expect(answers).toEqual([]);
  publish({ $names: [service.worker.socketId], new: ["w2"] });
  await answered(1);
  expect(answers).toEqual(['["$names","new"]']);
  await started;
});

test("after its channel was lost, it does not reply from an old directory", async () => {
  void service.start();
  await connected();
  publish({ $names: [service.worker.socketId], old: ["w1"] });
  request("r1");
  await answered(1);
  await publisher.close();
  await turns();
  request("r2");
  await turns();
  expect(answers).toHaveLength(1);
  publisher = network.publisher();
  await publisher.bind(CHANNEL);
  publish({ $names: [service.worker.socketId], new: ["w2"] });
  await answered(2);
  expect(answers[1]).toBe('["$names","new"]');
});

test("under the id of a new connection, it needs a new directory", async () => {
  void service.start();
  await connected();
  const first = service.worker.socketId;
  publish({ $names: [first], old: ["w1"] });
  request("r1");
  await answered(1);
  network.cut(BROKER);
  await connected();
  request("r2");
  publish({ $names: [first], old: ["w1"], same: [] });
  await turns();
  expect(answers).toHaveLength(1);
  publish({ $names: [service.worker.socketId], new: ["w2"] });
  await answered(2);
  expect(answers[1]).toBe('["$names","new"]');
});

test("a message that is not a directory is ignored", async () => {
  const started = service.start();
  await connected();
  publish({ $names: [service.worker.socketId] });
  await started;
  publisher.publish([writeText("$dir nonsense")]);
  await turns();
  expect([...service.services.keys()]).toEqual(["$names"]);
});

test("a stop ends a start that has received no directory", async () => {
  async function starting(): Promise<void> {
    await service.start();
  }
  const started = starting();
  await connected();
  await service.stop();
  await expect(started).rejects.toMatchObject({
    code: "CLOSED",
    stack: expect.stringMatching(/at (async )?starting \(.*core-service\.test\.ts/),
  });
});

test("it can start and stop again", async () => {
  for (let life = 1; life <= 2; life++) {
    const started = service.start();
    await connected();
    publish({ $names: [service.worker.socketId] });
    await started;
    await Promise.all([service.stop(), service.stop()]);
  }
});

test("emits an event once for each change", async () => {
  const emitted: string[][] = [];
  service.on("services", (services) => emitted.push([...services.keys()]));
  void service.start();
  await connected();
  publish({ a: ["w1"] });
  publish({ a: ["w1"] });
  publish({ a: ["w1"], b: ["w2"] });
  await turns();
  expect(emitted).toEqual([["a"], ["a", "b"]]);
});

test.each([
  [undefined, "intch must be the address of the broker's internal channel, such as broker.conf.intch, not undefined"],
  ["", "intch must be the address of the broker's internal channel, such as broker.conf.intch, not ''"],
  ["localhost:55550", "intch must be the address"],
  [5, "intch must be the address"],
  [false, "a core service needs the broker's internal channel, and intch is false"],
])("%j is not a channel", (intch, message) => {
  const options: { intch: string } = Object.assign({ intch: CHANNEL }, { intch });
  const failure = expect.objectContaining({ name: "UsageError", message: expect.stringContaining(message) });
  expect(() => new CoreService(BROKER, "$x", { ...options, onRequest() {} })).toThrow(failure);
});

test.each([
  ["nothing", undefined, "the options of a core service must be an object with intch and onRequest, not undefined"],
  ["no handler", { intch: CHANNEL }, "onRequest must be a function that handles requests, not undefined"],
  ["a misspelled channel", { itnch: CHANNEL }, 'a core service has no option "itnch": did you mean "intch"?'],
  [
    "a misspelled handler",
    { intch: CHANNEL, onRequests() {} },
    'has no option "onRequests": did you mean "onRequest"?',
  ],
  [
    "a misspelled option of workers",
    { intch: CHANNEL, onRequest() {}, heartbaet: 1 },
    'has no option "heartbaet": did you mean "heartbeat"?',
  ],
  ["a handler that is none", { intch: CHANNEL, onRequest: "x" }, "onRequest must be a function"],
])("a core service with %s is a UsageError at once", (_what, options, message) => {
  const failure = expect.objectContaining({ name: "UsageError", message: expect.stringContaining(message) });
  expect(() => Reflect.construct(CoreService, [BROKER, "$x", options])).toThrow(failure);
});

function publish(services: Record<string, string[]>): void {
  const entries = Object.entries(services);
  publisher.publish([
    encodeDirectory(
      entries.map(([name, ids]): [ServiceName, ReturnType<typeof peerId>[]] => [serviceName(name), ids.map(peerId)]),
    ),
  ]);
}

function request(id: string): void {
  const frames = ["W", "2", "~1", "$names", "", id, "null", "{}"].map(writeText);
  router.send(service.worker.socketId, frames);
}

function connected(): Promise<void> {
  return new Promise((resolve) => service.worker.once("connect", () => resolve()));
}

/** What is under way in memory has happened: it takes microtasks alone. */
function turns(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function answered(count: number): Promise<void> {
  return new Promise((resolve) => {
    onAnswer = () => {
      if (answers.length >= count) resolve();
    };
    onAnswer();
  });
}
