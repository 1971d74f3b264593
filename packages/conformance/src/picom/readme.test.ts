// The two programs in the README of Picom, unchanged but for the name of the package, in a process each. The test adds the port, and a
// last line that shows the result.

import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { PeerProcess, RUN_SOURCES } from "@pigato/testkit/peer-process";
import { expect, onTestFinished, test } from "vitest";
import { ROOT, textOf } from "../docs/pages.ts";

const RESULT = `myService.fetch({ service: "service1", cmd: "add" }, { a: 2, b: 5 }).then(console.log, console.error);`;

test("the example of Picom's README runs in two processes", async () => {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  server.close();
  const [first = "", second = ""] = [...textOf("packages/picom/README.md").matchAll(/^```cjs\n(.*?)^```$/gms)].map(
    ([, code = ""]) => code.replace(/new Picom\(('\w+')\)/, `new Picom($1, { port: ${port} })`),
  );
  const [service, caller] = [first, `${second}\n${RESULT}`].map((code, index) => run(index, code));
  expect(await caller?.nextLine()).toBe("7");
  service?.signal("SIGKILL");
  caller?.signal("SIGKILL");
});

/** A program in CommonJS, at a place from where it finds the packages. */
function run(index: number, code: string): PeerProcess {
  const file = join(ROOT, "packages/conformance", `.picom-${process.pid}-${index}.cjs`);
  writeFileSync(file, code);
  onTestFinished(() => rmSync(file, { force: true }));
  return PeerProcess.program(process.execPath, [...RUN_SOURCES, file]);
}
