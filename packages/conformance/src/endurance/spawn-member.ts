// A process of an endurance run; its garbage collector can be called, so that what it holds can be counted.

import type { PeerProcess } from "@pigato/testkit/peer-process";
import { spawnPeer } from "../support/spawn.ts";

export function spawnMember(
  name: "broker" | "workers" | "clients" | "dealers",
  settings: object,
): Promise<PeerProcess> {
  return spawnPeer(new URL(`./${name}-main.ts`, import.meta.url), settings, ["--expose-gc"]);
}
