// A dealer whose socket connects to itself, which happens by chance if nothing listens at a port of the ephemeral range.

import { createServer } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import type { LinkError } from "../link.ts";
import { ZmtpDealer } from "./dealer.ts";
import { ZmtpRouter } from "./router.ts";

const choosesOwnPort = vi.hoisted(() => ({ value: true }));

/** A loopback address whose ports no other program uses. */
const HOST = "127.94.1.7";

// The system would choose this port once in thousands of attempts.
vi.mock("node:net", async (importOriginal) => {
  const net = await importOriginal<typeof import("node:net")>();
  const connect = (options: import("node:net").TcpNetConnectOpts) =>
    net.connect(choosesOwnPort.value ? { ...options, localAddress: options.host, localPort: options.port } : options);
  return { ...net, connect };
});

test("a dealer that connected to itself leaves the port free, and connects to the router that binds it", async () => {
  const { dealer, failure, up } = await selfConnected();
  expect(failure).toMatchObject({
    code: "UNREACHABLE",
    message: expect.stringContaining("nothing listens at this port, and the connection reached its own socket"),
  });
  const router = new ZmtpRouter({ onMessage() {} }, {});
  onTestFinished(() => router.close(0));
  await router.bind(failure.address ?? "");
  await up;
  await dealer.close(0);
});

/** At a port at which nothing listens, unless another program takes it now: then at the next one. */
async function selfConnected(): Promise<{ dealer: ZmtpDealer; failure: LinkError; up: Promise<void> }> {
  for (;;) {
    const port = await unusedPort();
    let onUp = (): void => {};
    const up = new Promise<void>((resolve) => {
      onUp = resolve;
    });
    let onFailed = (_error: LinkError): void => {};
    const failed = new Promise<LinkError>((resolve) => {
      onFailed = resolve;
    });
    const onAttemptFailed = (error: LinkError): void => {
      choosesOwnPort.value = false;
      onFailed(error);
    };
    const handlers = { onMessage() {}, onUp, onAttemptFailed };
    choosesOwnPort.value = true;
    const dealer = new ZmtpDealer(handlers, { routingId: "d", reconnectMs: 1, reconnectMaxMs: 5 });
    onTestFinished(() => dealer.close(0));
    dealer.connect(`tcp://${HOST}:${port}`);
    const failure = await failed;
    if (failure.message.includes("own socket")) return { dealer, failure, up };
    await dealer.close(0);
  }
}

async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}
