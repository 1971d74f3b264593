import { expect, test } from "vitest";
import { newChannelAddress } from "./channel-address.ts";

test.each(["linux", "darwin"] as const)(
  "on %s, each broker's channel is a socket of its own in the file system",
  (platform) => {
    const addresses = Array.from({ length: 100 }, () => newChannelAddress(platform));
    expect(new Set(addresses).size).toBe(100);
    for (const address of addresses) expect(address).toMatch(/^ipc:\/\/\/.*pigato-[0-9a-f-]{36}\.sock$/);
  },
);

test("on Windows, it is a random port of the loopback interface", () => {
  const ports = Array.from({ length: 100 }, () =>
    Number(/^tcp:\/\/127\.0\.0\.1:(\d+)$/.exec(newChannelAddress("win32"))?.[1]),
  );
  expect(new Set(ports).size).toBeGreaterThan(90);
  for (const port of ports) expect(port >= 20_000 && port <= 32_767).toBe(true);
});
