import { EventEmitter } from "node:events";
import { describe, expect, expectTypeOf, test } from "vitest";
import { exposedFunctions } from "./exposed-functions.ts";
import { start } from "./testing/start.ts";

class Base {
  shared(): string {
    return "shared";
  }
}

class Images extends Base {
  readonly #size = 2;
  readonly arrow = (by: number): number => by * this.#size;
  resize(name: string, size: string, options?: { readonly quality: number }): string {
    return `${name} ${size} ${options?.quality ?? "-"} ${this.#size}`;
  }
  async *frames(count: number): AsyncGenerator<number> {
    for (let frame = 0; frame < count; frame++) yield frame;
    return "end";
  }
  get secret(): () => string {
    return () => "secret";
  }
  _private(): void {}
  $own(): void {}
  static create(): void {}
  [Symbol.iterator](): void {}
}

describe("a registered object", () => {
  test("is called by the names of its functions, with positional arguments", async () => {
    const { client } = await start((host) => host.register("api.images", new Images()));
    const images = client.rpc<Images>("api.images");
    expect(await images.resize("a.jpg", "150x180")).toBe("a.jpg 150x180 - 2");
    expect(await images.resize("a.jpg", "1x1", { quality: 5 })).toBe("a.jpg 1x1 5 2");
    expect(await images.resize("a.jpg", "1x1", undefined)).toBe("a.jpg 1x1 - 2");
    expect(await images.arrow(4)).toBe(8);
    expect(await images.shared()).toBe("shared");
    expectTypeOf(images.arrow).toEqualTypeOf<(by: number) => Promise<number>>();
    expect("frames" in images).toBe(false);
    expect(await client.collect("api.images", [2], { method: "frames", args: true })).toEqual([0, 1, "end"]);
  });

  test("exposes its own functions and those of its class, and nothing else", () => {
    expect([...exposedFunctions(new Images(), undefined).keys()].sort()).toEqual([
      "arrow",
      "frames",
      "resize",
      "shared",
    ]);
    const own = { run() {}, value: 1, [Symbol("s")]: () => {}, toString: () => "", constructor() {} };
    for (const name of ["then", "toJSON"]) Object.defineProperty(own, name, { value: () => {}, enumerable: true });
    expect([...exposedFunctions(own, undefined).keys()]).toEqual(["run"]);
  });

  test.each([
    ["an object with accessors only", Object.defineProperty({}, "run", { get: () => () => 1, enumerable: true })],
    ["an object that inherits from another one", Object.create({ run() {} })],
    ["an object with a hostile prototype", JSON.parse('{"__proto__":{"run":1}}')],
    ["an emitter", new EventEmitter()],
    ["a Map", new Map()],
    ["an array", [() => 1].slice(1)],
    ["an EventTarget", new EventTarget()],
    ["an empty object", {}],
  ])("is refused if it has no functions of its own: %s", (_what, object) => {
    expect(() => exposedFunctions(object, undefined)).toThrow(
      "cannot register an object without own functions and methods",
    );
  });

  test("does not expose the methods of a built-in class that it extends", () => {
    class Feed extends EventEmitter {
      latest(): number {
        return 1;
      }
    }
    class Table extends Map<string, number> {
      sum(): number {
        return 1;
      }
    }
    class Target extends EventTarget {
      hit(): number {
        return 1;
      }
    }
    const namesOf = (object: object) => [...exposedFunctions(object, undefined).keys()];
    expect([new Feed(), new Table(), new Target()].map(namesOf)).toEqual([["latest"], ["sum"], ["hit"]]);
  });

  test("exposes no method that another property hides", () => {
    class Hiding extends Images {
      override resize = JSON.parse("null");
      override get secret(): () => string {
        return super.secret;
      }
    }
    const hidden = Object.defineProperty(new Images(), "shared", {
      get: () => {
        throw new Error("a getter was called");
      },
    });
    expect([...exposedFunctions(new Hiding(), undefined).keys()].sort()).toEqual(["arrow", "frames", "shared"]);
    expect([...exposedFunctions(hidden, undefined).keys()].sort()).toEqual(["arrow", "frames", "resize"]);
  });

  test("may be frozen, and without a prototype", async () => {
    const bare: object = Object.assign(Object.create(null), { two: () => 2 });
    const { client } = await start((host) => {
      host.register("frozen", Object.freeze(new Images())).register("bare", Object.freeze(bare));
    });
    expect(await client.rpc<Images>("frozen").arrow(4)).toBe(8);
    expect(await client.rpc<Images>("frozen").shared()).toBe("shared");
    expect(await client.rpc<{ two(): number }>("bare").two()).toBe(2);
  });

  test("is called as the instance that was registered, with the methods of its own class first", async () => {
    class Small extends Images {
      readonly #name = "small";
      override shared(): string {
        return `${super.shared()} by ${this.#name}`;
      }
    }
    const { client } = await start((host) => host.register("x", new Small()));
    expect(await client.rpc<Small>("x").shared()).toBe("shared by small");
    expect(await client.rpc<Small>("x").arrow(2)).toBe(4);
    expect(await client.collect("x", [1], { method: "frames", args: true })).toEqual([0, "end"]);
  });

  test("exposes what it has when it is registered, and not what it gets later", async () => {
    const object: Record<string, () => number> = { first: () => 1 };
    const { client } = await start((host) => host.register("x", object));
    object["second"] = () => 2;
    await expect(client.rpc("x")["second"]?.()).rejects.toMatchObject({
      code: "UNIMPLEMENTED",
      message: 'service "x" has no method "second": it has first',
    });
  });
});

describe("a registered function", () => {
  test("has its own name, or the given one", async () => {
    function add(one: number, other: number): number {
      return one + other;
    }
    const { client } = await start((host) => host.register("math", add).register("math", add, "plus"));
    const math = client.rpc<{ add: typeof add; plus: typeof add }>("math");
    expect([await math.add(1, 2), await math.plus(2, 3)]).toEqual([3, 5]);
  });

  test.each(["", "_x", "$x", "then", "constructor", "x".repeat(256)])("cannot have the name %j", (name) => {
    expect(() => exposedFunctions(() => 1, name)).toThrow("the name of a registered function must be");
  });

  test("is no class, whose methods need an instance", () => {
    expect(() => exposedFunctions(Images, undefined)).toThrow("cannot register the class Images: pass an instance");
    expect([...exposedFunctions(function classify() {}, undefined).keys()]).toEqual(["classify"]);
  });

  test.each([1, null, undefined, "x"])("is not %j", (what) => {
    expect(() => exposedFunctions(what, "run")).toThrow("what is registered must be");
  });
});

describe("a proxy of remote functions", () => {
  test("has no control methods, and is no promise", async () => {
    const { client } = await start((host) => host.register("x", () => 1, "run"));
    const remote = client.rpc("x");
    expect(await remote).toBe(remote);
    for (const name of ["then", "constructor", "__proto__", "toString", "toJSON", "hasOwnProperty", "_x", "$info", ""])
      expect([name, Reflect.get(remote, name)]).toEqual([name, undefined]);
    expect(JSON.stringify(remote)).toBe("{}");
    expect(Reflect.set(remote, "run", 1)).toBe(false);
    expect(Reflect.get(remote, "run")).toBe(Reflect.get(remote, "run"));
    expect(() => client.rpc("x", JSON.parse('{"timout":1}'))).toThrow('did you mean "timeout"?');
  });
});

describe("a request to a host", () => {
  const names = ["__proto__", "constructor", "then", "toString", "hasOwnProperty", "valueOf", "_private", "\u202e"];

  test.each(names)("that names the method %j fails with UNIMPLEMENTED", async (method) => {
    const { client } = await start((host) => host.register("x", { run: () => 1, stop: () => 2 }));
    const failure = {
      code: "UNIMPLEMENTED",
      delivery: "dispatched",
      message: expect.stringMatching(/: it has run, stop$/),
    };
    await expect(client.call("x", 1, { method })).rejects.toMatchObject(failure);
    await expect(client.call("x", { method, args: [] })).rejects.toMatchObject(failure);
  });

  test("that names a method of 64 KB, or no text, fails with an error that is short", async () => {
    const { client } = await start((host) => host.register("x", () => 1, "run"));
    const error: unknown = await client.call("x", { method: "m".repeat(65_536) }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "UNIMPLEMENTED" });
    expect(String(error).length).toBeLessThan(200);
    for (const method of [5, null, [], {}, true])
      await expect(client.call("x", { method })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(client.call("x", 1)).rejects.toMatchObject({
      code: "UNIMPLEMENTED",
      message: 'a request to service "x" was refused: it names no method; the service has run',
    });
    await expect(client.call("x", 1, { method: "run", args: true })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: 'a request to service "x" was refused: its arguments are not an array',
    });
    await expect(client.call("x", { method: "run", args: {} })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  test("may name its method in the body, as butler's clients do", async () => {
    const { client } = await start((host) => host.register("x", (...args: readonly unknown[]) => args, "run"));
    expect(await client.call("x", { method: "run", args: [1, "a"], kwargs: {} })).toEqual([1, "a"]);
    expect(await client.call("x", { method: "run", args: [1], kwargs: { size: 2 } })).toEqual([1, { size: 2 }]);
    expect(await client.call("x", { method: "run" })).toEqual([]);
  });
});
