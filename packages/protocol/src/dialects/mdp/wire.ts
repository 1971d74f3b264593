// The bytes of the Majordomo dialects: MDP 0.1 (RFC 7), MDP 0.2 (RFC 18) and three variants of 0.2 that real peers speak. A
// `Flavor` holds the differences; decode.ts and encode.ts hold the rest.

import type { Frame } from "../../frame.ts";
import { writeBytes } from "../../ids.ts";

export type WorkerCommand = "ready" | "request" | "partial" | "final" | "heartbeat" | "disconnect";
export type ClientCommand = "request" | "partial" | "final";

/** One variant of the protocol. */
export interface Flavor {
  readonly id: string;
  /** Whether an empty frame comes first. */
  readonly isDelimited: boolean;
  readonly clientHeader: Frame;
  readonly workerHeader: Frame;
  /** The bytes of the commands. A flavor without partials has no command for them. */
  readonly worker: Readonly<Record<Exclude<WorkerCommand, "partial">, Frame> & { readonly partial?: Frame }>;
  /** `undefined` in 0.1, where messages of clients have no command. */
  readonly client: Readonly<Record<ClientCommand, Frame>> | undefined;
  /** Whether a reply repeats the name of the service. */
  readonly namesService: boolean;
}

const HEADERS_02 = { clientHeader: writeBytes("MDPC02"), workerHeader: writeBytes("MDPW02") };

/** MDP 0.1: no partials, and no command in messages of clients. */
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

/** MDP 0.2 as in RFC 18. */
const MDP02: Flavor = {
  id: "mdp02",
  isDelimited: false,
  ...HEADERS_02,
  worker: workerCommands(byte),
  client: { request: byte(1), partial: byte(2), final: byte(3) },
  namesService: true,
};

/** The variant of zmq-mdp2: commands are ASCII digits. */
const MDP02_DIGITS: Flavor = {
  ...MDP02,
  id: "mdp02-digits",
  worker: workerCommands(digit),
  client: { request: digit(1), partial: digit(2), final: digit(3) },
};

/** The variant of peers on a REQ socket: an empty frame comes first. */
const MDP02_DELIMITED: Flavor = { ...MDP02, id: "mdp02-delimited", isDelimited: true };

/** The variant of majortomo's client: delimited, commands one higher, and replies that do not name the service. */
const MDP02_MAJORTOMO: Flavor = {
  ...MDP02_DELIMITED,
  id: "mdp02-majortomo",
  client: { request: byte(2), partial: byte(3), final: byte(4) },
  namesService: false,
};

/** In the order of detection. */
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
