export { FakeClock } from "./fake-clock.ts";
export { MemoryDealer, MemoryNetwork, MemoryRouter } from "./memory-network.ts";
