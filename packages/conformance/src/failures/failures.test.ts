// Every failure of a request, over tcp: each code with each delivery class that it may have. The table in
// docs/reference/errors.md has the same rows.

import { MemoryStore } from "@pigato/broker";
import { UsageError } from "@pigato/protocol";
import { FakeClock } from "@pigato/testkit";
import { expect, onTestFinished, test } from "vitest";
import { LibraryProcess } from "../classic/library-process.ts";
import { startClassicClient } from "../classic/peers.ts";
import { textOf } from "../docs/pages.ts";
import { spawnBroker } from "../support/spawn.ts";
import { connectRawPeer, newClient, startWorker } from "../support/start.ts";
import {
  type BrokerAndClient,
  type FailingRequest,
  SERVICE,
  send,
  sendAndReject,
  sendToBusyWorker,
  startBrokerAndClient,
} from "./requests.ts";

/** The timeout in milliseconds of requests that must expire. */
const SOON = { timeout: 500 };
const UNUSED = "tcp://127.0.0.1:1";

/** The time of a request passes when it has got as far as the test wants. */
async function expired(ask: (around: BrokerAndClient) => Promise<FailingRequest>): Promise<unknown> {
  const clock = new FakeClock();
  const { failure } = await ask(await startBrokerAndClient({ clock }));
  clock.advance(SOON.timeout);
  return failure;
}

/** How to provoke each failure, by `code delivery`. Resolves to the error. */
const FAILURES: Readonly<Record<string, () => Promise<unknown>>> = {
  "UNAVAILABLE not-sent": async () => {
    const { client } = await startBrokerAndClient();
    return send(client, { failFast: true }).failure;
  },
  "UNAVAILABLE queued": async () => {
    const running = await startBrokerAndClient();
    const { worker } = await sendToBusyWorker(running);
    const { queued, failure } = send(running.client, { workerId: worker.socketId });
    await queued;
    await worker.stop();
    return failure;
  },
  "UNAVAILABLE dispatched": () => expired((around) => sendAndReject(around, { acceptTimeout: SOON.timeout })),
  // A stored request that names a worker.
  "UNAVAILABLE maybe-executed": async () => {
    const store = new MemoryStore();
    const asked = { client: "C1", requestId: "r1", service: SERVICE, worker: "W1", body: [], trailer: [] };
    await store.set("1", { version: 1, ...asked, timeoutMs: null, retry: false });
    const peer = connectRawPeer((await startBrokerAndClient({ store })).address, "C1");
    await peer.send("C", "4", "pigato/1 error");
    const frames = await peer.receive("C", "3", "", "r1", "-1");
    return JSON.parse(frames[5] ?? "");
  },
  "BUSY not-sent": async () => {
    const { client } = await startBrokerAndClient({ maxQueuedPerService: 0 });
    return send(client).failure;
  },
  "BUSY maybe-executed": async () => {
    const running = await startBrokerAndClient({ maxPeerBytes: 300_000 });
    const process = await LibraryProcess.start("ours");
    // Its heartbeat interval is so long that the broker does not lose it while it is frozen.
    onTestFinished(() => process.kill());
    const reader = await startClassicClient(process, { address: running.address, conf: { heartbeat: 30_000 } });
    const answered = new Promise<void>((resolve) => {
      void startWorker(running.address, SERVICE, async (_data, reply) => {
        process.freeze();
        while (reply.active()) {
          reply.write("x".repeat(100_000));
          await new Promise(setImmediate);
        }
        process.thaw();
        resolve();
      });
    });
    // With callbacks, because the worker would pause for a stream.
    const outcome = reader.request(SERVICE);
    await answered;
    return (await outcome).error;
  },
  "DEADLINE_EXCEEDED not-sent": () => send(newClient(UNUSED, { autostart: true }), SOON).failure,
  "DEADLINE_EXCEEDED queued": () =>
    expired(async ({ client }) => {
      const request = send(client, SOON);
      await request.queued;
      return request;
    }),
  "DEADLINE_EXCEEDED dispatched": () => expired((around) => sendAndReject(around, SOON)),
  "DEADLINE_EXCEEDED maybe-executed": () => expired((around) => sendToBusyWorker(around, SOON)),
  "WORKER_LOST maybe-executed": async () => {
    const { worker, failure } = await sendToBusyWorker(await startBrokerAndClient());
    await worker.stop();
    return failure;
  },
  "BROKER_LOST maybe-executed": async () => {
    const broker = await spawnBroker();
    onTestFinished(async () => void (await broker.kill("SIGKILL")));
    const client = newClient(broker.address);
    await client.start();
    const { queued, failure } = send(client);
    await queued;
    await broker.kill("SIGKILL");
    return failure;
  },
  "REJECTED dispatched": async () => {
    const running = await startBrokerAndClient();
    await startWorker(running.address, SERVICE, (_data, reply) => reply.reject());
    return send(running.client).failure;
  },
  "REJECTED maybe-executed": async () => {
    const running = await startBrokerAndClient();
    const { worker, failure } = await sendToBusyWorker(running, { retry: true });
    await startWorker(running.address, SERVICE, (_data, reply) => reply.reject());
    await worker.stop();
    return failure;
  },
  "WORKER_FAILED maybe-executed": async () => {
    const running = await startBrokerAndClient();
    await startWorker(running.address, SERVICE, () => {
      throw new Error("broken");
    });
    return send(running.client).failure;
  },
  "CANCELED not-sent": async () => {
    const { client } = await startBrokerAndClient();
    return send(client, { signal: AbortSignal.abort() }).failure;
  },
  "CANCELED maybe-executed": async () => {
    const controller = new AbortController();
    const { failure } = await sendToBusyWorker(await startBrokerAndClient(), { signal: controller.signal });
    controller.abort();
    return failure;
  },
  "CLOSED not-sent": async () => {
    const { client } = await startBrokerAndClient();
    await client.stop();
    return send(client).failure;
  },
  "CLOSED queued": async () => {
    const { client, broker } = await startBrokerAndClient();
    const { queued, failure } = send(client);
    await queued;
    await broker.stop();
    return failure;
  },
  "CLOSED dispatched": async () => {
    const running = await startBrokerAndClient();
    const { failure } = await sendAndReject(running);
    await running.broker.stop();
    return failure;
  },
  "CLOSED maybe-executed": async () => {
    const running = await startBrokerAndClient();
    const { failure } = await sendToBusyWorker(running);
    await running.client.stop();
    return failure;
  },
  // Our client does not send requests that a broker rejects, so this test uses a raw socket.
  "INVALID not-sent": async () => {
    const peer = connectRawPeer((await startBrokerAndClient()).address, "C1");
    await peer.send("C", "4", "pigato/1 error");
    await peer.send("C", "2", "s".repeat(256), "r1", "1");
    const frames = await peer.receive("C", "3", "", "r1", "-1");
    return JSON.parse(frames[5] ?? "");
  },
  // A worker that offers no codec.
  "INVALID queued": async () => {
    const running = await startBrokerAndClient();
    await connectRawPeer(running.address, "W1").send("W", "1", SERVICE);
    const called = running.client.call(SERVICE, Buffer.of(1), { codec: "raw" });
    return called.catch((error: unknown) => (error instanceof UsageError ? error.cause : error));
  },
  "INVALID maybe-executed": async () => {
    const running = await startBrokerAndClient();
    const worker = connectRawPeer(running.address, "W1");
    await worker.send("W", "1", SERVICE);
    const { failure } = send(running.client);
    const [, , address = "", , , id = ""] = await worker.receive("W", "2");
    await worker.send("W", "3", address, "", id, "0", "{oops");
    return failure;
  },
  "INVALID_ARGUMENT dispatched": () => refusedByWorker("INVALID_ARGUMENT"),
  "UNIMPLEMENTED dispatched": () => refusedByWorker("UNIMPLEMENTED"),
};

/** P-FAIL-6: as a host refuses a request. */
async function refusedByWorker(code: string): Promise<unknown> {
  const running = await startBrokerAndClient();
  const worker = connectRawPeer(running.address, "W1");
  await worker.send("W", "1", SERVICE);
  const { failure } = send(running.client);
  const [, , address = "", , , id = ""] = await worker.receive("W", "2");
  const error = { name: "RequestError", message: "no", code, delivery: "dispatched", detail: { issues: [] } };
  await worker.send("W", "3", address, "", id, "-1", JSON.stringify(error));
  expect(await failure).toMatchObject({ detail: { issues: [] } });
  return failure;
}

test.each(Object.entries(FAILURES))("a request can fail with %s", async (kind, fail) => {
  const [code, delivery] = kind.split(" ");
  expect(await fail()).toMatchObject({ code, delivery });
});

test("docs/reference/errors.md lists these failures and no other, and which are safe to retry", () => {
  const section = textOf("docs/reference/errors.md").split("<!-- every failure -->")[1]?.split(/^#/m)[0] ?? "";
  const rows = [...section.matchAll(/^\| `(\w+)` \| `([\w-]+)` \| .+ \| (yes|no) \|$/gm)];
  expect(rows.map(([, code, delivery]) => `${code} ${delivery}`).sort()).toEqual(Object.keys(FAILURES).sort());
  for (const [, code, delivery, isSafe] of rows) {
    expect([code, delivery, isSafe]).toEqual([code, delivery, delivery === "maybe-executed" ? "no" : "yes"]);
  }
});
