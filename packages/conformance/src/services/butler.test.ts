// butler in Python and our hosts and clients, through one broker: each calls the functions of the other.

import { Host } from "@pigato/service";
import { foreignPeers } from "@pigato/testkit/foreign-peers";
import { describe, expect, onTestFinished, test } from "vitest";
import { runPython } from "../support/spawn.ts";
import { LOOPBACK, startBroker, startClient } from "../support/start.ts";

const PEER = new URL("./butler-rpc.py", import.meta.url);

async function started() {
  const binds = [LOOPBACK, { address: LOOPBACK, dialect: "butler" }] as const;
  const { broker, addresses } = await startBroker({ heartbeat: 60_000, intch: false }, binds);
  const [own = "", butler = ""] = addresses;
  const joined = new Promise((resolve) => broker.once("worker:join", resolve));
  return { own, butler, joined };
}

describe.skipIf(foreignPeers.python.isMissing)("butler in Python", () => {
  test("a butler client calls methods of a host, and raises their errors", async () => {
    const { own, butler } = await started();
    const host = new Host(own, { stopTimeoutMs: 0, logger: false });
    onTestFinished(() => host.stop());
    host.register("api.images", {
      resize: (name: string, { size }: { size: string }) => `${name} at ${size}`,
      fail(text: string): never {
        throw new TypeError(text);
      },
    });
    await host.start();
    const client = runPython(PEER, ["client", butler, "api.images"]);
    const call = async (...line: readonly unknown[]): Promise<unknown> => {
      client.writeLine(JSON.stringify(line));
      return JSON.parse(await client.nextLine());
    };
    expect(await call("resize", ["a.jpg"], { size: "150x180" })).toEqual(["value", '"a.jpg at 150x180"']);
    expect(await call("fail", ["no such size"], {})).toEqual(["error", "TypeError", "no such size"]);
    expect(await call("crop", [], {})).toEqual(["error", "AttributeError", "crop"]);
    client.signal("SIGKILL");
  });

  test("client.rpc() calls functions of a butler service, with named arguments and exceptions", async () => {
    const { own, butler, joined } = await started();
    const service = runPython(PEER, ["service", butler, "api.images"]);
    await joined;
    const client = await startClient(own);
    const images = client.rpc("api.images");
    expect(await images.resize?.("a.jpg", "150x180")).toBe("a.jpg at 150x180");
    expect(await images.resize?.("a.jpg", { size: "1x1" })).toBe("a.jpg at 1x1");
    expect(await images.add?.(1, 2, 3)).toBe(6);
    expect([await service.nextLine(), await service.nextLine()]).toEqual([
      '["resize", ["a.jpg", "150x180"], {}]',
      '["resize", ["a.jpg"], {"size": "1x1"}]',
    ]);
    await expect(images.fail?.("no such size")).rejects.toMatchObject({
      code: "WORKER_FAILED",
      message: "no such size",
      cause: { name: "KeyError", message: "no such size" },
    });
    await expect(images.resize?.()).rejects.toMatchObject({ cause: { name: "TypeError" } });
    await expect(images.crop?.()).rejects.toMatchObject({
      code: "UNIMPLEMENTED",
      message: "the service has no such function",
    });
    service.signal("SIGKILL");
  });

  test("D-MMI-6: our client asks whether a butler service is there", async () => {
    const { own, butler, joined } = await started();
    const client = await startClient(own);
    expect(await client.call("mmi.api.images")).toBe("400");
    const service = runPython(PEER, ["service", butler, "api.images"]);
    await joined;
    expect(await client.call("mmi.api.images")).toBe("200");
    service.signal("SIGKILL");
  });
});
