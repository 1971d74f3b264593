// The instances that a subject process can hold, and what it can be asked to do with them.

import { Broker } from "@pigato/broker";

export interface Subject {
  readonly emitter: { on(event: string, listener: () => void): unknown };
  readonly actions: Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;
}

export const SUBJECTS: Readonly<Record<string, (address: string) => Subject>> = {
  broker: (address) => {
    const broker = new Broker(address);
    return {
      emitter: broker,
      actions: {
        start: async () => {
          await broker.start();
          return broker.addresses[0];
        },
        stop: () => broker.stop(),
      },
    };
  },
};
