// The only tables of the Majordomo dialects' bytes: MDP 0.1 (RFC 7), MDP 0.2 (RFC 18) and three variants of 0.2 that real
// peers speak. What they share is in decode.ts and encode.ts; how they differ is a `Flavor`.

import type { Frame } from "../../frame.ts";
import { writeBytes } from "../../ids.ts";

export type WorkerCommand = "ready" | "request" | "partial" | "final" | "heartbeat" | "disconnect";
export type ClientCommand = "request" | "partial" | "final";

/** One form of the protocol. */
export interface Flavor {
  readonly id: string;
  /** Whether an empty frame comes first. */
  readonly isDelimited: boolean;
  readonly clientHeader: Frame;
  readonly workerHeader: Frame;
  /** The bytes of the commands; a flavor without partials has none for them. */
  readonly worker: Readonly<Record<Exclude<WorkerCommand, "partial">, Frame> & { readonly partial?: Frame }>;
  /** In 0.1 a client's message has no command. */
  readonly client: Readonly<Record<ClientCommand, Frame>> | undefined;
  /** Whether a reply repeats the name of the service. */
  readonly namesService: boolean;
}

const HEADERS_02 = { clientHeader: writeBytes("MDPC02"), workerHeader: writeBytes("MDPW02") };

/** MDP 0.1: no partials. The only one whose client messages have no command. */
const MDP01: Flavor = {
  id: "mdp01",
  isDelimited: true,
  clientHeader: writeBytes("MDPC01"),
  workerHeader: writeBytes("MDPW01"),
  worker: {
    ready: byte(1),
    request: byte(2),
    final: byte(3),
    heartbeat: byte(4),
    disconnect: byte(5),
  },
  client: undefined,
  namesService: true,
};

/** MDP 0.2 as RFC 18 has it. */
const MDP02: Flavor = {
  id: "mdp02",
  isDelimited: false,
  ...HEADERS_02,
  worker: workerCommands(byte),
  client: { request: byte(1), partial: byte(2), final: byte(3) },
  namesService: true,
};

/** As peers of zmq-mdp2 speak it: commands are ASCII digits. */
const MDP02_DIGITS: Flavor = {
  ...MDP02,
  id: "mdp02-digits",
  worker: workerCommands(digit),
  client: { request: digit(1), partial: digit(2), final: digit(3) },
};

/** As peers on a REQ socket, and MDPRPC, speak it: an empty frame first. */
const MDP02_DELIMITED: Flavor = { ...MDP02, id: "mdp02-delimited", isDelimited: true };

/** As majortomo's client speaks it: delimited, with commands one higher, and replies that do not name the service. */
const MDP02_MAJORTOMO: Flavor = {
  ...MDP02_DELIMITED,
  id: "mdp02-majortomo",
  client: { request: byte(2), partial: byte(3), final: byte(4) },
  namesService: false,
};

/** In the order in which to look for them. */
export const FLAVORS: readonly Flavor[] = [MDP02, MDP01, MDP02_DELIMITED, MDP02_DIGITS, MDP02_MAJORTOMO];

function workerCommands(code: (number: number) => Frame): Record<WorkerCommand, Frame> {
  return {
    ready: code(1),
    request: code(2),
    partial: code(3),
    final: code(4),
    heartbeat: code(5),
    disconnect: code(6),
  };
}

function byte(number: number): Frame {
  return Uint8Array.of(number);
}

function digit(number: number): Frame {
  return writeBytes(String(number));
}
