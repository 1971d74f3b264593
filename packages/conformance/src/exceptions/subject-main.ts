// A program that holds one instance of a public class, whose listeners all throw. It has a handler for uncaught exceptions,
// so it stays alive. Its tasks use the instance.

import { Inbox } from "@pigato/testkit";
import { serve, settingsText, type Tasks } from "@pigato/testkit/serve";
import { holdSubject, type SubjectSettings } from "./subjects.ts";

const THROWN_WITHIN_MS = 10_000;

const settings: SubjectSettings = JSON.parse(settingsText());
const uncaught = new Inbox<string>();

process.on("uncaughtException", (error) => uncaught.add(error.message));
process.on("unhandledRejection", (error) => uncaught.add(`unhandled rejection: ${String(error)}`));

const { emitter, tasks } = holdSubject(settings);
for (const event of settings.events) {
  emitter.on(event, () => {
    throw new Error(event);
  });
}
serve({
  ...Object.fromEntries(Object.entries(tasks).map(([name, task]) => [name, reporting(name, task)])),
  /** Whether the listener of an event has thrown, or throws soon. */
  thrown: (event) => Promise.race([uncaught.take((message) => message === event).then(() => true), late()]),
  /** The messages of all uncaught exceptions that `thrown` did not await. */
  uncaught: () => uncaught.items,
});

/** A task whose failure is reported with the uncaught exceptions. */
function reporting(name: string, task: Tasks[string]): Tasks[string] {
  return async (argument) => {
    try {
      return await task(argument);
    } catch (error) {
      uncaught.add(`${name}: ${String(error)}`);
      return undefined;
    }
  };
}

function late(): Promise<boolean> {
  return new Promise((resolve) => setTimeout(() => resolve(false), THROWN_WITHIN_MS).unref());
}
