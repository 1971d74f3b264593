// P-SIZE-2: a reply that is too large for the client.

import { NO_CAPABILITIES, pigato, type ToClient, writeText } from "@pigato/protocol";
import { type DealerHandlers, type Transport, toBytes } from "@pigato/transport";
import { expect, test } from "vitest";
import { failureOf, onceEvent, settled, TestKit } from "./testing/test-kit.ts";

const kit = new TestKit();
const DETAIL = "a frame of 9 bytes; the bound is 8";

/** The network of the kit, and the handlers of the client's link. */
function watched(): { transport: Transport; report: (message: ToClient) => void; drain: () => void } {
  let link: DealerHandlers | undefined;
  const transport: Transport = {
    router: (handlers) => kit.network.router(handlers),
    dealer: (handlers, options) => {
      link = handlers;
      return kit.network.dealer(handlers, options);
    },
    publisher: () => kit.network.publisher(),
    subscriber: (handlers) => kit.network.subscriber(handlers),
  };
  const report = (message: ToClient): void => {
    const frames = toBytes(pigato.encodeToClient(message, NO_CAPABILITIES) ?? []);
    link?.onOversized?.({ frames, detail: DETAIL });
  };
  return { transport, report, drain: () => link?.onDrain?.() };
}

test("fails its request, and no other", async () => {
  const { transport, report, drain } = watched();
  const { client, broker } = await kit.started({ transport });
  const violation = onceEvent(client, "error");
  const large = client.call("large");
  const small = client.call("small");
  await settled();
  const [first, second] = broker.requests;
  if (first === undefined || second === undefined) throw new Error("no requests");
  report({ type: "final", requestId: first.requestId, status: 0, body: [writeText("1")], trailer: [] });
  // Clients do not wait for a slow link.
  drain();
  const failure = await failureOf(large);
  expect([failure.code, failure.message]).toEqual(["INVALID", expect.stringContaining(`P-SIZE-2, ${DETAIL}`)]);
  expect(await violation).toEqual(new Error(`the broker violated P-SIZE-2: ${DETAIL}`));
  broker.final(second, "done");
  expect(await small).toBe("done");
});

test("is reported if it belongs to no request", async () => {
  const { transport, report } = watched();
  const { client } = await kit.started({ transport });
  const violation = onceEvent(client, "error");
  report({ type: "heartbeat", accepted: undefined });
  expect(await violation).toEqual(new Error(`the broker violated P-SIZE-2: ${DETAIL}`));
});
