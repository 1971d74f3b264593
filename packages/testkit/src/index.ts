export { CoreAlarm } from "./core-alarm.ts";
export { FakeClock, StepLimit } from "./fake-clock.ts";
export { Inbox } from "./inbox.ts";
export { invariant, LinkChecks } from "./link-checks.ts";
export { MemoryDealer, MemoryNetwork, MemoryRouter } from "./memory-network.ts";
export { ProcessWarnings } from "./process-warnings.ts";
