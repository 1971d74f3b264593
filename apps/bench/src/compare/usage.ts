// CPU and memory that a process has used so far, whatever it is written in. Linux only; elsewhere the columns stay empty.

import { readdirSync, readFileSync } from "node:fs";

export interface Usage {
  readonly cpuMicros: number;
  readonly rssBytes: number;
}

const UNKNOWN: Usage = Object.freeze({ cpuMicros: Number.NaN, rssBytes: Number.NaN });

export function usageOf(pid: number): Usage {
  try {
    let nanos = 0;
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      nanos += Number.parseInt(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "latin1"), 10);
    }
    const [, kilobytes = ""] = /VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
    return { cpuMicros: nanos / 1000, rssBytes: Number(kilobytes) * 1024 };
  } catch {
    return UNKNOWN;
  }
}
