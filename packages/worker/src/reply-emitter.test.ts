import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { LazyEmitter, PipedSources } from "./reply-emitter.ts";

test("it is an EventEmitter, and behaves like one without listeners", () => {
  const bare = new LazyEmitter();
  const ordinary = new EventEmitter();
  expect(bare).toBeInstanceOf(EventEmitter);
  for (const emitter of [bare, ordinary]) {
    expect(emitter.emit("close")).toBe(false);
    expect(emitter.eventNames()).toEqual([]);
    expect([emitter.listenerCount("close"), EventEmitter.listenerCount(emitter, "close")]).toEqual([0, 0]);
    expect([emitter.listeners("close"), emitter.rawListeners("close")]).toEqual([[], []]);
    expect(emitter.getMaxListeners()).toBe(EventEmitter.defaultMaxListeners);
    expect(
      emitter
        .off("close", () => {})
        .removeAllListeners("close")
        .removeAllListeners(),
    ).toBe(emitter);
    expect(() => emitter.emit("error", new Error("unheard"))).toThrow("unheard");
  }
});

test.each(["on", "once", "prependListener", "prependOnceListener"] as const)(
  "its listeners, from the first %s on, are not shared with other replies",
  (method) => {
    const [emitter, other] = [new LazyEmitter(), new LazyEmitter()];
    const values: unknown[] = [];
    emitter[method]("data", (value) => values.push(value));
    expect([emitter.emit("data", 1), other.emit("data", 2)]).toEqual([true, false]);
    expect(values).toEqual([1]);
  },
);

test("a maximum of listeners that is set first applies", () => {
  expect(new LazyEmitter().setMaxListeners(3).getMaxListeners()).toBe(3);
});

test("a piped source may be a stream of another implementation", () => {
  const listeners: unknown[] = [];
  const source = {
    on: (event: string, listener: unknown) => listeners.push(event, listener),
    removeListener: (_event: string, listener: unknown) => listeners.splice(listeners.indexOf(listener) - 1, 2),
  };
  const errors: Error[] = [];
  const sources = new PipedSources((error) => errors.push(error));
  sources.add(source);
  expect(listeners).toEqual(["error", expect.any(Function)]);
  sources.remove(source);
  expect(listeners).toEqual([]);
});
