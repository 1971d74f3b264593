// Which transport is meant by an option.

import { automatic } from "./automatic/index.ts";
import { libzmq } from "./libzmq/index.ts";
import type { Transport } from "./link.ts";
import { zmtp } from "./zmtp/index.ts";

export type TransportName = "libzmq" | "zmtp";

/** One of those here, by name, or any other. */
export type TransportChoice = Transport | TransportName;

/** The one that a `TransportChoice` means; `automatic` if none is; `undefined` if there is none such. */
export function chosenTransport(choice: unknown): Transport | undefined {
  switch (choice) {
    case undefined:
      return automatic;
    case "libzmq":
      return libzmq;
    case "zmtp":
      return zmtp;
    default:
      return isTransport(choice) ? choice : undefined;
  }
}

function isTransport(value: unknown): value is Transport {
  if (typeof value !== "object" || value === null) return false;
  return typeof Reflect.get(value, "router") === "function" && typeof Reflect.get(value, "dealer") === "function";
}
