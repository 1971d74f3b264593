// Every message of each dialect, and ways to corrupt it.

import { FORMS } from "./forms.ts";

/** Placeholders for the client address and the id of a request that a worker has. */
export const ADDRESS = "~0.1";
export const ID = "r1";
/** The expiry of a butler request: far in the future. */
export const EXPIRY = "99999999999999";

/** Every message of a dialect, in each role, including those of the broker. */
export const MESSAGES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  pigato: [
    ["C", "2", "echo", ID, "1", "{}"],
    ["C", "4"],
    ["C", "4", "pigato/1 cancel error"],
    ["C", "4", "request", ID],
    ["C", "4", "worker", "anybody"],
    ["C", "8", ID],
    ["C", "3", "", ID, "0", "1"],
    ["C", "6", "", ID, "0", "1"],
    ["W", "1", "echo"],
    ["W", "1", "mmi.x"],
    ["W", "1", "$dir"],
    ["W", "2", ADDRESS, "echo", "", ID, "1", "{}"],
    ["W", "4", "", '{"concurrency":2}'],
    ["W", "4", ADDRESS, "", ID],
    ["W", "3", ADDRESS, "", ID, "0", "1", "{}"],
    ["W", "3", ADDRESS, "", ID, "-1", "1", "{}"],
    ["W", "6", ADDRESS, "", ID, "0", "1", "{}"],
    ["W", "7", ADDRESS, "", ID, "0", "null"],
    ["W", "5"],
    ["C", "5"],
  ],
  omdp: [
    ["C", "2", "echo", ID, "1", "{}"],
    ["C", "4"],
    ["C", "4", ID],
    ["C", "3", ID, "0", "1"],
    ["C", "6", ID, "0", "1"],
    ["W", "1", "echo"],
    ["W", "1", "mmi.x"],
    ["W", "1", "$dir"],
    ["W", "2", ADDRESS, ID, "1"],
    ["W", "4"],
    ["W", "4", ADDRESS, ID],
    ["W", "3", ADDRESS, ID, "0", "1"],
    ["W", "3", ADDRESS, ID, "1"],
    ["W", "6", ADDRESS, ID, "0", "1"],
    ["W", "5"],
  ],
  butler: [
    ["", `0.3.0:${ID}`, "echo", EXPIRY, "{}"],
    ["", `0.3.0:${ID}`, "mmi.echo", EXPIRY, "{}"],
    ["", `0.3.0:${ID}`, "1"],
    ["\x01", "echo"],
    ["\x01", "mmi.x"],
    ["\x01", "$dir"],
    ["\x02"],
    ["\x03"],
    [ADDRESS, "", `0.3.0:${ID}`, "echo", EXPIRY, "1"],
    ["\x04", ADDRESS, "", `0.3.0:${ID}`, "1"],
    ["\x04", ADDRESS, "", `0.3.0:${ID}`, "404"],
    ["\x04", ADDRESS, "", `0.3.0:${ID}`, "500:exception:{"],
  ],
  ...Object.fromEntries(
    FORMS.map(({ name, request, partial, final, worker }) => [
      name,
      [
        [...request, "echo", "1"],
        [...request, "mmi.service", "echo"],
        [...(partial ?? final)("echo"), "1"],
        [...final("echo"), "1"],
        [...worker.ready, "echo"],
        [...worker.ready, "mmi.x"],
        [...worker.ready, "$dir"],
        [...worker.request, ADDRESS, "", "1"],
        [...(worker.partial ?? worker.final), ADDRESS, "", "1"],
        [...worker.final, ADDRESS, "", "1"],
        [...worker.heartbeat],
        [...worker.disconnect],
      ],
    ]),
  ),
};

export const NAMES: readonly string[] = Object.keys(MESSAGES);

const LONG = "x".repeat(70_000);

/** A message unchanged, truncated and padded. */
export function* cuts(message: readonly string[]): Generator<readonly string[]> {
  yield message;
  for (let length = 1; length < message.length; length++) yield message.slice(0, length);
  yield [...message, "more"];
  yield [...message, ...new Array<string>(70).fill("")];
}

/** The same, also with each frame emptied, lengthened or overwritten. */
export function* bendings(message: readonly string[]): Generator<readonly string[]> {
  yield* cuts(message);
  for (const index of message.keys()) {
    for (const other of ["", "\xff\x00", LONG, "__proto__"])
      yield message.map((frame, at) => (at === index ? other : frame));
  }
}

/** A worker of a dialect, reduced to receiving a request and sending any message about it. */
export interface Role {
  greet(service: string): readonly (readonly string[])[];
  /** Reads the client and the id of a request; `undefined` for any other message. */
  tokens(frames: readonly string[]): { readonly address: string; readonly id: string } | undefined;
  readonly disconnect: readonly string[];
}

export const ROLES: Readonly<Record<string, Role>> = {
  pigato: {
    greet: (service) => [
      ["W", "1", service],
      ["W", "4", "", "{}"],
    ],
    tokens: ([, type, address = "", , , id = ""]) => (type === "2" ? { address, id } : undefined),
    disconnect: ["W", "5"],
  },
  omdp: {
    greet: (service) => [["W", "1", service]],
    tokens: ([, type, address = "", id = ""]) => (type === "2" ? { address, id } : undefined),
    disconnect: ["W", "5"],
  },
  butler: {
    greet: (service) => [["\x01", service]],
    tokens: ({ length, 0: address = "", 2: id = "" }) =>
      length === 6 ? { address, id: id.slice("0.3.0:".length) } : undefined,
    disconnect: ["\x03"],
  },
  ...Object.fromEntries(
    FORMS.map(({ name, worker: { ready, request, disconnect } }): [string, Role] => [
      name,
      {
        greet: (service) => [[...ready, service]],
        tokens: (frames) =>
          frames[request.length - 1] === request.at(-1) ? { address: frames[request.length] ?? "", id: "" } : undefined,
        disconnect,
      },
    ]),
  ),
};
