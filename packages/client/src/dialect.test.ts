import { readText } from "@pigato/protocol";
import { expect, test } from "vitest";
import { bodyWith, type CallOptions } from "./call-options.ts";
import { DIALECTS } from "./dialect.ts";

test.each(["mdp02", "mdp01"] as const)("D-PEER-4: %s sends a management service the bare name of a service", (name) => {
  const sent = (data: unknown, service: string) =>
    DIALECTS[name].encodeData(data, { service, codec: undefined, allowLoss: false }).map(readText);
  expect(sent("echo", "mmi.service")).toEqual(["echo"]);
  expect(sent(1, "mmi.service")).toEqual(["1"]);
  expect(sent("echo", "mmi")).toEqual(['"echo"']);
});

test.each(["mdp02", "mdp01", "omdp"] as const)("D-PEER-3: %s sends the method of a request with its data", (name) => {
  const { resolveCallOptions, encodeData } = DIALECTS[name];
  const resolve = (options: CallOptions) => resolveCallOptions(options, { timeout: 5, retry: false });
  expect(resolve({ method: "add", args: true, timeout: 5 })).toMatchObject({
    inBody: { method: "add", hasArgs: true },
  });
  expect(resolve({})).not.toHaveProperty("inBody");
  expect(() => resolve({ method: "" })).toThrow("method must be text of 1 to 255 bytes");
  const body = (options: CallOptions, data: unknown) => {
    const { inBody } = resolve(options);
    const written = inBody === undefined ? data : bodyWith(inBody, data);
    return encodeData(written, { service: "x", codec: undefined, allowLoss: false }).map(readText);
  };
  expect(body({ method: "add" }, 1)).toEqual(['{"method":"add","args":[1],"kwargs":{}}']);
  expect(body({ method: "add", args: 1 }, [1, 2])).toEqual(['{"method":"add","args":[1,2],"kwargs":{}}']);
  expect(body({ method: "add" }, undefined)).toEqual(['{"method":"add","args":[],"kwargs":{}}']);
});

test("PIGATO sends a management service the name as JSON", () => {
  expect(
    DIALECTS.pigato.encodeData("echo", { service: "mmi.service", codec: undefined, allowLoss: false }).map(readText),
  ).toEqual(['"echo"']);
});
