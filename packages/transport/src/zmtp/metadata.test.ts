import { describe, expect, test } from "vitest";
import { decodeMetadata, encodeMetadata, type Metadata } from "./metadata.ts";

describe("metadata", () => {
  test.each<Metadata>([
    { socketType: "ROUTER", routingId: "" },
    { socketType: "ROUTER", routingId: "", announcement: "some/1" },
    { socketType: "ROUTER", routingId: "", announcement: "" },
    { socketType: "DEALER", routingId: "d\u00ff", retriesAfterError: true, announcement: "x" },
  ])("reads what it wrote: %o", (metadata) => {
    expect(decodeMetadata(encodeMetadata(metadata))).toEqual(metadata);
  });

  test("has names that are case-insensitive, and properties that it ignores", () => {
    const own = encodeMetadata({ socketType: "ROUTER", routingId: "", announcement: "some/1" });
    const text = own.toString("latin1").replace("X-Announcement", "x-aNNOUNCEMENT").replace("Identity", "X-Others");
    expect(decodeMetadata(Buffer.from(text, "latin1"))).toEqual({
      socketType: "ROUTER",
      routingId: "",
      announcement: "some/1",
    });
  });

  test.each([1, 5, 20])("that is cut after %i bytes is a violation", (bytes) => {
    const own = encodeMetadata({ socketType: "ROUTER", routingId: "r" });
    expect(decodeMetadata(own.subarray(0, bytes))).toMatchObject({ code: "PROTOCOL" });
  });
});
