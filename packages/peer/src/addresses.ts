// The addresses of brokers and the names of services, as users give them to a client or a worker.

import { type ServiceName, serviceNameFromText, type UsageError } from "@pigato/protocol";
import { isWellFormed, MAX_NAME_BYTES } from "@pigato/protocol/internal";
import type { PeerSecurity } from "@pigato/transport";
import { invalidValue } from "./options/resolve.ts";

/** `scheme://rest`. The transport interprets the rest. */
const ADDRESS = /^[a-z][a-z0-9+.-]*:\/\/./;

/** Whether a value has the form of an address. */
export function isAddress(value: unknown): value is string {
  return typeof value === "string" && ADDRESS.test(value);
}

/** What a value that is no address must be, with what it lacks. */
export function expectedAddress(example: string, value: unknown): string {
  const expected = `text such as ${example}`;
  if (typeof value !== "string" || value === "") return expected;
  if (value !== value.trim()) return `${expected}, without white space`;
  if (!value.includes("://")) return `${expected}, with a scheme`;
  return isAddress(value.toLowerCase()) ? `${expected}, with its scheme in lower case` : expected;
}

/**
 * One address, or several that are tried in turn.
 * @throws UsageError for an invalid address, and for an inproc address with security, which inproc does not support
 */
export function resolveAddresses(input: string | readonly string[], security?: PeerSecurity): readonly string[] {
  const addresses: readonly unknown[] = Array.isArray(input) ? input : [input];
  if (addresses.length === 0) throw invalidAddress("at least one address", input);
  return addresses.map((address) => {
    if (!isAddress(address)) {
      const expected = expectedAddress("tcp://localhost:55555", address);
      throw invalidAddress(typeof address === "string" ? expected : `${expected}, or an array of such`, address);
    }
    if (security !== undefined && address.startsWith("inproc:")) {
      throw invalidAddress("one of tcp or ipc with curve or plain, because inproc has no security", address);
    }
    return address;
  });
}

/** @throws UsageError for an invalid service name */
export function readService(value: unknown): ServiceName {
  if (typeof value === "string" && value !== "") {
    const name = serviceNameFromText(value);
    // For ASCII, which is the common case, both are the same string.
    if (name.length <= MAX_NAME_BYTES && (name === value || isWellFormed(value))) return name;
  }
  throw invalidValue("the service", `text of 1 to ${MAX_NAME_BYTES} bytes of UTF-8`, value);
}

function invalidAddress(expected: string, value: unknown): UsageError {
  return invalidValue("the address of the broker", expected, value);
}
