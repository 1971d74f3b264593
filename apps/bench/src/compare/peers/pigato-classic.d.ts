// The measured part of npm pigato 0.0.46, which has no types.

declare module "pigato-classic" {
  import type { EventEmitter } from "node:events";

  interface Reply {
    write(data: unknown): void;
    end(data: unknown): void;
  }

  class Broker extends EventEmitter {
    constructor(address: string, options?: { readonly intch?: string });
    readonly socket: { readonly last_endpoint: string };
    start(): void;
  }

  class Worker extends EventEmitter {
    constructor(address: string, service: string, options?: { readonly concurrency?: number });
    on(event: "request", handler: (data: unknown, reply: Reply) => void): this;
    on(event: "connect", handler: () => void): this;
    start(): void;
  }

  type Callback = (error: unknown, data?: unknown) => void;

  class Client extends EventEmitter {
    constructor(address: string);
    start(): void;
    request(service: string, data: unknown, onPartial: Callback, onFinal: Callback): void;
  }

  const library: { readonly Broker: typeof Broker; readonly Worker: typeof Worker; readonly Client: typeof Client };
  export default library;
}
