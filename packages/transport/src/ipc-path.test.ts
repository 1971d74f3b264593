import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { bindPath, removeDeadSockets, removePath } from "./ipc-path.ts";
import type { RouterLink } from "./link.ts";
import { libzmq, zmtp } from "./transports.ts";

const TRANSPORTS = [
  ["zmtp", zmtp],
  ["libzmq", libzmq],
] as const;

let folder = "";
let path = "";
let address = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pigato-path-"));
  path = join(folder, "broker.sock");
  address = `ipc://${path}`;
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What a killed process leaves: a socket that no process listens on. */
async function leaveSocket(): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}.own`, resolve));
  renameSync(`${path}.own`, path);
  await new Promise((resolve) => server.close(resolve));
}

function router(transport: (typeof TRANSPORTS)[number][1] = zmtp): RouterLink {
  const link = transport.router({ onMessage() {} });
  onTestFinished(() => link.close(0));
  return link;
}

function isListening(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

describe.each(TRANSPORTS)("%s", (_name, transport) => {
  test("binds a path that a killed process left behind, and leaves nothing else there", async () => {
    await leaveSocket();
    expect(await router(transport).bind(address)).toBe(address);
    expect(await isListening()).toBe(true);
    expect(readdirSync(folder)).toEqual(["broker.sock"]);
  });

  test("never removes a file", async () => {
    writeFileSync(path, "a file");
    await expect(router(transport).bind(address)).rejects.toMatchObject({ code: "ADDRESS_IN_USE" });
    expect(readFileSync(path, "utf8")).toBe("a file");
    expect(readdirSync(folder)).toEqual(["broker.sock"]);
  });

  test("removes its path when it closes", async () => {
    const link = router(transport);
    await link.bind(address);
    await link.close(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("removes its path when it is unbound", async () => {
    const link = router(transport);
    await link.bind(address);
    await link.unbind(address);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a publisher removes its path when it closes", async () => {
    const publisher = transport.publisher();
    await publisher.bind(address);
    await publisher.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each([
    ["a missing folder", "ipc:///nonexistent/broker.sock", "ADDRESS_INVALID", "ENOENT"],
    ["a folder that is a file", "ipc:///dev/null/broker.sock", "FAILED", "ENOTDIR"],
    ["a folder without permission", "ipc:///proc/broker.sock", expect.any(String), expect.any(String)],
  ])("reports %s as a LinkError", async (_what, unusable, code, reason) => {
    await expect(router(transport).bind(unusable)).rejects.toMatchObject({
      name: "LinkError",
      code,
      address: unusable,
      message: expect.stringMatching(`^cannot bind ${unusable}: `),
      cause: { code: reason },
    });
  });
});

test("of many that bind one path at once, exactly one succeeds, and it has the path", async () => {
  for (let round = 0; round < 5; round++) {
    await leaveSocket();
    const links = Array.from({ length: 12 }, (_, index) => router(index % 2 === 0 ? zmtp : libzmq));
    const results = await Promise.allSettled(links.map((link) => link.bind(address)));
    const losers = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    expect(losers).toHaveLength(11);
    for (const loser of losers) expect(loser).toMatchObject({ name: "LinkError", code: "ADDRESS_IN_USE" });
    expect(await isListening()).toBe(true);
    await Promise.all(links.map((link) => link.close(0)));
    expect(readdirSync(folder)).toEqual([]);
  }
});

describe("a lock", () => {
  const bind = (timeoutMs: number): Promise<string> => bindPath(address, () => "bound", timeoutMs);

  test("that a killed process left is removed", async () => {
    writeFileSync(`${path}.lock`, "");
    expect(await bind(50)).toBe("bound");
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  test("that changes hands is waited for, however long that takes", async () => {
    writeFileSync(`${path}.lock`, "");
    let hands = 0;
    const passing = setInterval(() => {
      hands += 1;
      utimesSync(`${path}.lock`, hands, hands);
      if (hands < 10) return;
      clearInterval(passing);
      rmSync(`${path}.lock`);
    }, 30);
    expect(await bind(200)).toBe("bound");
    expect(hands).toBe(10);
  });

  test("is released when the bind fails", async () => {
    const failed = bindPath(address, () => Promise.reject(new Error("no")));
    await expect(failed).rejects.toThrow("no");
    expect(readdirSync(folder)).toEqual([]);
  });
});

test("removing a path spares a listener and a file", async () => {
  await router().bind(address);
  await removePath(address);
  expect(await isListening()).toBe(true);
  writeFileSync(join(folder, "file"), "");
  await removePath(`ipc://${join(folder, "file")}`);
  expect(readdirSync(folder).sort()).toEqual(["broker.sock", "file"]);
  await removePath("ipc:///nonexistent/broker.sock");
});

test.runIf(process.platform === "linux")("the search for dead sockets does not disturb a listener", async () => {
  await leaveSocket();
  const live = join(folder, "live.sock");
  let connections = 0;
  const server = createServer(() => {
    connections += 1;
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(live, resolve));
  await removeDeadSockets(folder, /\.sock$/);
  expect(readdirSync(folder)).toEqual(["live.sock"]);
  expect(connections).toBe(0);
});
