import { Deadlines } from "@pigato/protocol/internal";
import { expect, test } from "vitest";
import { CoreAlarm } from "./core-alarm.ts";
import { FakeClock } from "./fake-clock.ts";
import "./timer-limit.ts";

test("a fake clock rings each alarm at its own time, in order", () => {
  const clock = new FakeClock(0);
  const rings: string[] = [];
  const late = clock.alarm(() => rings.push(`late at ${clock.now()}`));
  const early = clock.alarm(() => rings.push(`early at ${clock.now()}`));
  late.set(20);
  early.set(10);
  clock.advance(15);
  expect(rings).toEqual(["early at 10"]);
  clock.advance(15);
  expect(rings).toEqual(["early at 10", "late at 20"]);
  expect(clock.now()).toBe(30);
});

test("a fake clock throws when an alarm is set for the present without end", () => {
  const clock = new FakeClock(0);
  const alarm = clock.alarm(() => alarm.set(clock.now()));
  alarm.set(5);
  expect(() => clock.advance(10)).toThrow("alarms ring without end at 5");
});

test("the alarm of a core throws when the core is always due, or its deadline is no number", () => {
  const core = { mayWakeEarlier: true, nextDeadline: () => 5 };
  const alarm = new CoreAlarm(core);
  const advance = () =>
    alarm.advance(7, 3, (at) => {
      expect(at).toBe(7);
      alarm.onHandled({ type: "tick" });
    });
  alarm.onHandled({ type: "start" });
  expect(advance).toThrow("the core asks for a tick without end at 7");
  core.nextDeadline = () => Number.NaN;
  alarm.onHandled({ type: "tick" });
  expect(advance).toThrow("the next deadline of the core is NaN");
});

test("a timer that is set for the present whenever it is due throws", () => {
  const timers = new Deadlines<string>();
  const timer = timers.entry("always");
  timers.set(timer, 0, 5);
  const handle = () => {
    while (timers.takeDue(5) !== undefined) timers.set(timer, 0, 5);
  };
  expect(handle).toThrow("timers are due without end at 5");
});
