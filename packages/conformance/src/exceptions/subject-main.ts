// The process behind `SubjectProcess`.

import type { SubjectReport, SubjectSettings } from "./subject-process.ts";
import { SUBJECTS } from "./subjects.ts";

interface Command {
  readonly id: number;
  readonly action: string;
  readonly args: readonly unknown[];
}

const settings: SubjectSettings = JSON.parse(process.argv[2] ?? "{}");
const subject = SUBJECTS[settings.kind]?.(settings.address);
if (subject === undefined) throw new Error(`no subject ${settings.kind}`);

process.on("uncaughtException", (error) => report({ type: "uncaught", message: error.message }));
process.on("unhandledRejection", (error) => report({ type: "uncaught", message: `rejected: ${String(error)}` }));
for (const event of settings.events) {
  subject.emitter.on(event, () => {
    throw new Error(event);
  });
}

process.on("message", async ({ id, action, args }: Command) => {
  try {
    const result = await subject.actions[action]?.(...args);
    report({ type: "done", id, result, error: undefined });
  } catch (error) {
    report({ type: "done", id, result: undefined, error: String(error) });
  }
});
report({ type: "done", id: 0, result: undefined, error: undefined });

function report(what: SubjectReport): void {
  process.send?.(what);
}
