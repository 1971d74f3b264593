// The handshakes of NULL and PLAIN as state machines: no bytes, no sockets.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeCommand, splitCommand } from "../commands.ts";
import { encodeMetadata } from "../metadata.ts";
import type { HandshakeStep, MechanismHandshake } from "./mechanism.ts";
import { NULL_AUTHENTICATING_LISTENER, NULL_LISTENER, NULL_PEER } from "./null.ts";
import { PLAIN_LISTENER, plainPeer } from "./plain.ts";

const DEALER = { socketType: "DEALER", routingId: "d" };
const ROUTER = { socketType: "ROUTER", routingId: "" };
const METADATA = encodeMetadata(DEALER);
const NOTHING = Buffer.alloc(0);
const PARAMETERS = { numRuns: Number(process.env.PIGATO_FUZZ_RUNS ?? 300), seed: Number(process.env.PIGATO_FUZZ_SEED) };

/** `"ada"`, `"lovelace"` as the data of HELLO. */
const HELLO = Buffer.from("\u0003ada\u0008lovelace");

describe.each([
  {
    name: "NULL",
    peer: NULL_PEER,
    listener: NULL_LISTENER,
    expected: ["> READY", "introduce", "< READY", "introduce"],
  },
  {
    name: "NULL with authentication",
    peer: NULL_PEER,
    listener: NULL_AUTHENTICATING_LISTENER,
    expected: ["> READY", "authenticate NULL", "introduce", "< READY", "introduce"],
  },
  {
    name: "PLAIN",
    peer: plainPeer("ada", "lovelace"),
    listener: PLAIN_LISTENER,
    expected: [
      "> HELLO",
      "authenticate PLAIN ada lovelace",
      "< WELCOME",
      "> INITIATE",
      "introduce",
      "< READY",
      "introduce",
    ],
  },
])("$name", ({ peer, listener, expected }) => {
  test("a peer and a listener introduce themselves to each other", () => {
    const peerHandshake = peer.newHandshake(DEALER);
    const listenerHandshake = listener.newHandshake(ROUTER);
    const transcript: string[] = [];
    const introduced: unknown[] = [];
    // The commands in flight, oldest first, with their receiver.
    const queue: { to: MechanismHandshake; body: Buffer }[] = [];
    const send = (from: MechanismHandshake, commands: readonly Buffer[]) => {
      for (const body of commands) {
        const isFromPeer = from === peerHandshake;
        transcript.push(`${isFromPeer ? ">" : "<"} ${nameOf(body)}`);
        queue.push({ to: isFromPeer ? listenerHandshake : peerHandshake, body });
      }
    };
    const perform = (at: MechanismHandshake, step: HandshakeStep): void => {
      if (step.type === "send") return send(at, step.commands);
      if (step.type === "violation") throw new Error(step.violation.detail);
      if (step.type === "authenticate") {
        transcript.push(["authenticate", ...Object.values(step.credentials)].join(" "));
        return perform(at, at.onAuthorized());
      }
      transcript.push("introduce");
      introduced.push(step.peer);
      send(at, at.onAccepted());
    };
    send(listenerHandshake, listenerHandshake.onGreeting());
    send(peerHandshake, peerHandshake.onGreeting());
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const command = splitCommand(next.body);
      if ("code" in command) throw new Error(command.detail);
      perform(next.to, next.to.onCommand(command.name, command.data));
    }
    expect(transcript).toEqual(expected);
    expect(introduced).toEqual([DEALER, ROUTER]);
    expect([peerHandshake.protection, listenerHandshake.protection]).toEqual([undefined, undefined]);
  });
});

describe("a PLAIN listener", () => {
  const afterHello = () => {
    const handshake = PLAIN_LISTENER.newHandshake(ROUTER);
    expect(handshake.onCommand("HELLO", HELLO)).toMatchObject({ type: "authenticate" });
    expect(handshake.onAuthorized()).toEqual({ type: "send", commands: [encodeCommand("WELCOME")] });
    return handshake;
  };

  test.each<[string, Buffer]>([
    ["INITIATE", METADATA],
    ["READY", METADATA],
    ["WELCOME", NOTHING],
    ["MESSAGE", NOTHING],
    ["hello", HELLO],
  ])("rejects %s before HELLO", (name, data) => {
    expectViolation(PLAIN_LISTENER.newHandshake(ROUTER).onCommand(name, data), "instead of HELLO");
  });

  test.each<[string, Buffer]>([
    ["HELLO", HELLO],
    ["READY", METADATA],
    ["PING", Buffer.alloc(2)],
  ])("rejects %s instead of INITIATE", (name, data) => {
    expectViolation(afterHello().onCommand(name, data), "instead of INITIATE");
  });

  test.each([
    ["without data", ""],
    ["without a password", "\u0003ada"],
    ["with a username beyond its end", "\u00ffada"],
    ["with a password beyond its end", "\u0003ada\u0009lovelace"],
    ["with trailing bytes", "\u0003ada\u0007lovelace"],
    ["with a third word", "\u0003ada\u0001x\u0001y"],
  ])("rejects HELLO %s", (_what, data) => {
    const step = PLAIN_LISTENER.newHandshake(ROUTER).onCommand("HELLO", Buffer.from(data, "latin1"));
    expectViolation(step, "HELLO is not a username and a password");
  });

  test("rejects HELLO that is not UTF-8, because different bytes must not become the same text", () => {
    const step = PLAIN_LISTENER.newHandshake(ROUTER).onCommand("HELLO", Buffer.from("\u0001\u00ff\u0001x", "latin1"));
    expectViolation(step, "HELLO is not UTF-8");
  });

  test("leaves empty words to authenticate", () => {
    const step = PLAIN_LISTENER.newHandshake(ROUTER).onCommand("HELLO", Buffer.from([0, 0]));
    expect(step).toEqual({ type: "authenticate", credentials: { mechanism: "PLAIN", username: "", password: "" } });
  });

  test.each([
    ["that ends within a name", "\u000aSocket"],
    ["that ends within a value", "\u0001x\u0000\u0000\u0000\u0009short"],
    ["with a value of four gigabytes", "\u0001x\u00ff\u00ff\u00ff\u00ff"],
    ["with a trailing byte", "\u0001x\u0000\u0000\u0000\u0000\u0001"],
  ])("rejects INITIATE with metadata %s", (_what, data) => {
    expectViolation(
      afterHello().onCommand("INITIATE", Buffer.from(data, "latin1")),
      "the metadata ends within a property",
    );
  });

  test("ignores unknown metadata, and takes the last of several values", () => {
    const data = Buffer.concat([METADATA, Buffer.from("\u0003X-A\u0000\u0000\u0000\u0001a"), encodeMetadata(ROUTER)]);
    expect(afterHello().onCommand("INITIATE", data)).toEqual({ type: "introduce", peer: ROUTER });
  });

  test("needs HELLO, an authorization and INITIATE to accept a peer, whatever commands arrive", () => {
    const anyCommand = fc.record({
      name: fc.constantFrom("HELLO", "INITIATE", "READY", "WELCOME", "ERROR", "PING", ""),
      data: fc.constantFrom<Buffer>(HELLO, METADATA, NOTHING, Buffer.from("\u0003ada\u0001x!")),
    });
    const command = fc.oneof(
      anyCommand,
      fc.constant({ name: "HELLO", data: HELLO }),
      fc.constant({ name: "INITIATE", data: METADATA }),
    );
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(command, { maxLength: 5 }), fc.boolean(), (commands, isAuthorized) => {
        const handshake = PLAIN_LISTENER.newHandshake(ROUTER);
        let isHelloAuthorized = false;
        for (const { name, data } of commands) {
          const step = handshake.onCommand(name, data);
          if (step.type === "violation") return;
          if (step.type === "introduce") {
            expect([name, isHelloAuthorized]).toEqual(["INITIATE", true]);
            accepted += 1;
            return;
          }
          expect(name).toBe("HELLO");
          if (!isAuthorized) return;
          handshake.onAuthorized();
          isHelloAuthorized = true;
        }
      }),
      PARAMETERS,
    );
    expect(accepted).toBeGreaterThan(0);
  });
});

describe("a PLAIN peer", () => {
  const peer = plainPeer("ada", "lovelace");

  test("sends its username and password, as bytes of UTF-8", () => {
    expect(peer.newHandshake(DEALER).onGreeting()).toEqual([encodeCommand("HELLO", HELLO)]);
    const [hello] = plainPeer("ädä", "x".repeat(255)).newHandshake(DEALER).onGreeting();
    expect(hello).toEqual(encodeCommand("HELLO", Buffer.from(`\u0005ädä`), Uint8Array.of(255), Buffer.alloc(255, "x")));
  });

  test.each<[string, Buffer, string]>([
    ["READY", METADATA, "instead of WELCOME"],
    ["HELLO", HELLO, "instead of WELCOME"],
    ["WELCOME", Buffer.of(0), "WELCOME with data"],
  ])("rejects %s before WELCOME", (name, data, detail) => {
    expectViolation(peer.newHandshake(DEALER).onCommand(name, data), detail);
  });

  test("rejects a second WELCOME", () => {
    const handshake = peer.newHandshake(DEALER);
    expect(handshake.onCommand("WELCOME", NOTHING)).toEqual({
      type: "send",
      commands: [encodeCommand("INITIATE", METADATA)],
    });
    expectViolation(handshake.onCommand("WELCOME", NOTHING), "instead of READY");
  });
});

test.each(["WELCOME", "HELLO", "INITIATE", "PING"])("NULL rejects %s", (name) => {
  for (const mechanism of [NULL_PEER, NULL_LISTENER, NULL_AUTHENTICATING_LISTENER]) {
    expectViolation(mechanism.newHandshake(ROUTER).onCommand(name, NOTHING), "instead of READY");
  }
});

function expectViolation(step: HandshakeStep, detail: string): void {
  expect(step).toMatchObject({
    type: "violation",
    violation: { code: "PROTOCOL", detail: expect.stringContaining(detail) },
  });
}

function nameOf(body: Buffer): string {
  const command = splitCommand(body);
  return "code" in command ? command.detail : command.name;
}
