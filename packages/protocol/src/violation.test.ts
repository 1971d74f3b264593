import { expect, test } from "vitest";
import { requestId, writeBytes, writeText } from "./ids.ts";
import { shown, violation } from "./violation.ts";

test("a violation has its clause, its detail, and the request id if there is one", () => {
  expect(violation("P-REQ-1", "too short")).toStrictEqual({
    type: "violation",
    clause: "P-REQ-1",
    detail: "too short",
  });
  expect(violation("P-REQ-1", "too short", requestId("r1"))).toMatchObject({ requestId: "r1" });
});

test("an error text quotes at most 32 bytes of a frame and escapes them", () => {
  expect(shown(undefined)).toBe("(none)");
  expect(shown(writeText('say "hi"\n'))).toBe('"say \\"hi\\"\\n"');
  expect(shown(writeBytes("x".repeat(32)))).toBe(`"${"x".repeat(32)}"`);
  expect(shown(writeBytes("x".repeat(33)))).toBe(`"${"x".repeat(32)}"…`);
});
