import "./timer-limit.ts";

export { CoreAlarm } from "./core-alarm.ts";
export { FakeClock, StepLimit } from "./fake-clock.ts";
export { Inbox } from "./inbox.ts";
export { CheckFailure, invariant } from "./invariants.ts";
export { LinkChecks } from "./link-checks.ts";
export { dealersOnly, MemoryDealer, MemoryNetwork, MemoryRouter } from "./memory-network.ts";
export { ProcessWarnings, uncaughtErrors } from "./process-warnings.ts";
export { watchStreams } from "./stream-checks.ts";
