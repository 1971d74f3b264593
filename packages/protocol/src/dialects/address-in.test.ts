import { describe, expect, test } from "vitest";
import type { Frame } from "../frame.ts";
import { requestId, serviceName, writeText } from "../ids.ts";
import type { ToWorker } from "../message.ts";
import { DEFAULT_REQUEST_OPTIONS } from "../request-options.ts";
import { butler } from "./butler/index.ts";
import type { BrokerDialect } from "./dialect.ts";
import { majordomo } from "./mdp/index.ts";
import { omdp, omdpDialect } from "./omdp/index.ts";
import { pigato } from "./pigato/index.ts";

const DIALECTS: readonly BrokerDialect[] = [
  pigato,
  omdp,
  omdpDialect(),
  butler({ readsWorkers: false, wallClock: () => 0 }),
  ...majordomo(),
];

const REQUEST: ToWorker = {
  type: "request",
  address: "~17",
  service: serviceName("echo"),
  requestId: requestId("r1"),
  body: [writeText('"data"')],
  trailer: [],
  options: DEFAULT_REQUEST_OPTIONS,
  credit: undefined,
};

/** What a link returns that could not send the message. */
function framesOf(dialect: BrokerDialect, message: ToWorker): readonly Frame[] {
  const frames = dialect.encodeToWorker(message) ?? [];
  return frames.map((frame) => (typeof frame === "string" ? Buffer.from(frame, "latin1") : frame));
}

describe.each(DIALECTS.map((dialect) => [dialect.id, dialect] as const))(
  "the address in the frames of %s",
  (_, dialect) => {
    test("is found in a request", () => {
      expect(dialect.addressIn(framesOf(dialect, REQUEST))).toBe("~17");
    });

    test("is found in no other message", () => {
      for (const message of [{ type: "heartbeat" }, { type: "disconnect" }] as const) {
        expect(dialect.addressIn(framesOf(dialect, message))).toBeUndefined();
      }
      expect(dialect.addressIn([])).toBeUndefined();
    });
  },
);
