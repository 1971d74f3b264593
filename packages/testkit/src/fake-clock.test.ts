import { expect, test } from "vitest";
import { FakeClock } from "./fake-clock.ts";

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
