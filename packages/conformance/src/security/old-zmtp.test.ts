// Peers of ZMTP 1.0 and 2.0, which have no mechanism. libzmq serves them, but not where a mechanism is required. Their bytes are
// written here by hand.

import { connect, type Socket } from "node:net";
import { Client } from "@pigato/client";
import { describe, expect, onTestFinished, test } from "vitest";
import { startBroker } from "../support/start.ts";
import { Keys, startEcho } from "./keys.ts";

const keys = new Keys();

const SIGNATURE = [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f];
const HEARTBEAT = ["C", "4"];

describe.each([
  { version: "1.0", bytes: [...frames10(""), ...frames10(...HEARTBEAT)] },
  { version: "2.0", bytes: [...greeting20(), ...frames20(""), ...frames20(...HEARTBEAT)] },
])("a peer of ZMTP $version", ({ bytes }) => {
  test("is served by libzmq where no mechanism is required", async () => {
    const { broker, address } = await startBroker({ transport: "libzmq" });
    const joined = new Promise((resolve) => broker.once("client:join", resolve));
    const { isClosed } = send(address, bytes);
    await joined;
    expect(isClosed()).toBe(false);
  });

  test.each([
    { asked: "for CURVE", options: { curve: keys.server } },
    { asked: "for CURVE and who it is", options: { curve: keys.server, authenticate: () => true } },
    { asked: "for a password", options: { plain: true, authenticate: () => true } },
    { asked: "where it comes from, which is not right", options: { authenticate: () => false } },
  ])("is cut off where it is asked $asked", async ({ options }) => {
    const { broker, address } = await startBroker(options);
    await send(address, bytes).closed;
    await isServed(address, options);
    expect(broker.stats()).toMatchObject({ clients: 0 });
  });
});

/** Another peer is served or denied: the broker has handled everything that was sent before. */
async function isServed(address: string, options: object): Promise<void> {
  if ("curve" in options) await startEcho(address, { curve: keys.curve(keys.worker) });
  else if ("plain" in options) await startEcho(address, { plain: { username: "a", password: "b" } });
  else await expect(new Client(address).start()).rejects.toMatchObject({ code: "REFUSED" });
}

function send(address: string, bytes: readonly number[]) {
  const socket: Socket = connect(Number(address.split(":").at(-1)), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  let isClosed = false;
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => {
      isClosed = true;
      resolve();
    });
  });
  socket.on("error", () => {});
  socket.resume();
  socket.write(Buffer.from(bytes));
  return { closed, isClosed: () => isClosed };
}

/** Length with flags, flags, body. */
function frames10(...texts: string[]): number[] {
  return texts.flatMap((text, index) => [text.length + 1, index < texts.length - 1 ? 1 : 0, ...Buffer.from(text)]);
}

/** Flags, length, body. */
function frames20(...texts: string[]): number[] {
  return texts.flatMap((text, index) => [index < texts.length - 1 ? 1 : 0, text.length, ...Buffer.from(text)]);
}

function greeting20(): number[] {
  const [revision, dealer] = [1, 5];
  return [...SIGNATURE, revision, dealer];
}
