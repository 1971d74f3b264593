import { optionsIn } from "@pigato/peer";
import { CommanderError } from "commander";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type CommandSettings, parseCommand } from "./command.ts";
import { SCHEMA } from "./options.ts";

afterEach(() => vi.unstubAllEnvs());

const INTEGERS = optionsIn(SCHEMA).flatMap(([name, { type, min = 0, max = 0 }]) =>
  type === "integer" ? [{ name, min, max }] : [],
);

describe("pigato-broker", () => {
  test("listens at port 55555 of every interface by default", () => {
    expect(parse().settings).toMatchObject({ where: "tcp://*:55555", logLevel: "info", logFormat: "text" });
  });

  test("takes several addresses from one flag, from several, and from a variable", () => {
    expect(parse("--bind", "tcp://*:1", "ipc:///tmp/x").settings?.where).toEqual(["tcp://*:1", "ipc:///tmp/x"]);
    expect(parse("--bind", "tcp://*:1", "--bind", "tcp://*:2").settings?.where).toEqual(["tcp://*:1", "tcp://*:2"]);
    vi.stubEnv("PIGATO_BIND", "tcp://*:3, tcp://*:4");
    expect(parse().settings?.where).toEqual(["tcp://*:3", "tcp://*:4"]);
  });

  test("takes the settings of an address behind it", () => {
    expect(parse("--bind", "tcp://*:1", "tcp://*:2?dialect=omdp&timeoutMs=5").settings?.where).toEqual([
      "tcp://*:1",
      { address: "tcp://*:2", dialect: "omdp", timeoutMs: 5 },
    ]);
  });

  test("takes a frontend and a backend, from flags or variables", () => {
    vi.stubEnv("PIGATO_BACKEND", "tcp://*:2?dialect=butler, tcp://*:3");
    expect(parse("--frontend", "tcp://*:1").settings?.where).toEqual({
      frontend: ["tcp://*:1"],
      backend: [{ address: "tcp://*:2", dialect: "butler" }, "tcp://*:3"],
    });
  });

  test.each(INTEGERS)("takes $name from a flag and from a variable, the flag first", ({ name, min, max }) => {
    const words = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    vi.stubEnv(`PIGATO_${words.replaceAll("-", "_").toUpperCase()}`, String(max));
    expect(parse().settings?.options).toMatchObject({ [name]: max });
    expect(parse(`--${words}`, String(min)).settings?.options).toMatchObject({ [name]: min });
  });

  test("takes the dispatch mode, what to do with rejected requests, and the logging", () => {
    const { settings } = parse(
      "--dmode",
      "lru",
      "--when-declined",
      "wait",
      "--log-level",
      "warn",
      "--log-format",
      "json",
    );
    expect(settings).toMatchObject({
      logLevel: "warn",
      logFormat: "json",
      options: { dmode: "lru", whenDeclined: "wait" },
    });
  });

  test("takes the internal channel, or none", () => {
    expect(parse().settings?.options).not.toHaveProperty("intch");
    expect(parse("--intch", "tcp://*:9").settings?.options).toMatchObject({ intch: "tcp://*:9" });
    vi.stubEnv("PIGATO_INTCH", "none");
    expect(parse().settings?.options).toMatchObject({ intch: false });
  });

  test("takes key files, from flags or variables, and no keys", () => {
    vi.stubEnv("PIGATO_CURVE_AUTHORIZED_KEYS_FILE", "/keys/authorized");
    expect(parse("--curve-secret-key-file", "/keys/secret").settings).toMatchObject({
      curveSecretKeyFile: "/keys/secret",
      curveAuthorizedKeysFile: "/keys/authorized",
    });
    expect(parse("--new-curve-key-file", "x", "--curve-secret-key-file", "y").settings?.newCurveKeyFile).toBe("x");
    expect(Object.keys(parse("--curve-secret-key-file", "x").settings?.options ?? {})).not.toContain("curve");
  });

  test.each([
    [["--curve-authorized-keys-file", "x"], "requires --curve-secret-key-file"],
    [["--curve-secret-key", "x"], "--curve-secret-key"],
    [["--heartbeat", "soon"], "--heartbeat"],
    [["--heartbeat", "0"], "from 10 to 60000"],
    [["--dmode", "fastest"], "load, lru, rand"],
    [["--nonsense"], "--nonsense"],
    [["stray"], "too many arguments"],
    [["--bind", ""], "An address is empty"],
    [["--bind", "tcp://*:1?dialect=picom"], "one of omdp, butler"],
    [["--frontend", "tcp://*:1"], "require each other"],
    [["--backend", "tcp://*:1"], "require each other"],
    [["--bind", "tcp://*:1", "--frontend", "tcp://*:2", "--backend", "tcp://*:3"], "--bind excludes"],
  ])("rejects %j in one line", (args, named) => {
    const { exitCode, err } = parse(...args);
    expect(exitCode).not.toBe(0);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
    expect(err).toContain(named);
    expect(err).toMatch(/^pigato-broker: /);
  });

  test("names unknown variables, with the nearest known one, and leaves those of Kubernetes alone", () => {
    for (const name of Object.keys(process.env)) if (name.startsWith("PIGATO_")) vi.stubEnv(name, undefined);
    vi.stubEnv("PIGATO_HEARTBEET", "1000");
    vi.stubEnv("PIGATO_COLOR", "red");
    for (const name of ["SERVICE_HOST", "SERVICE_PORT_ZMQ", "PORT", "PORT_5555_TCP_ADDR", "BROKER_SERVICE_PORT"]) {
      vi.stubEnv(`PIGATO_${name}`, "x");
    }
    expect(parse().settings?.unknownVariables.toSorted()).toEqual([
      "unknown environment variable PIGATO_COLOR: --help lists the known ones",
      "unknown environment variable PIGATO_HEARTBEET: did you mean PIGATO_HEARTBEAT?",
    ]);
  });

  test("shows every option and its variable with --help", () => {
    const { exitCode, out } = parse("--help");
    expect(exitCode).toBe(0);
    expect(out).toContain("--bind <address...>");
    expect(out.replace(/\s+/g, " ")).toContain("PIGATO_HEARTBEAT_LIVENESS");
  });

  test("shows its version", () => {
    expect(parse("--version")).toMatchObject({ exitCode: 0, out: "9.8.7\n" });
  });
});

function parse(...args: string[]): { settings?: CommandSettings; exitCode?: number; out: string; err: string } {
  const written = { out: "", err: "" };
  const output = {
    out: (text: string) => {
      written.out += text;
    },
    err: (text: string) => {
      written.err += text;
    },
  };
  try {
    return { settings: parseCommand(args, "9.8.7", output), ...written };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { exitCode: error.exitCode, ...written };
  }
}
