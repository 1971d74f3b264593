// The frames of each flavor, written by hand from RFC 7, RFC 18 and the peers of the variants.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NO_CAPABILITIES } from "../../capabilities.ts";
import type { Frame, FrameToSend } from "../../frame.ts";
import { asFrame, readBytes, requestId, serviceName, writeBytes } from "../../ids.ts";
import type { FromWorker, ToClient, ToWorker } from "../../message.ts";
import { DEFAULT_REQUEST_OPTIONS } from "../../request-options.ts";
import type { Dialect } from "../dialect.ts";
import { majordomo } from "./index.ts";

const frames = (...texts: string[]): Frame[] => texts.map((text) => writeBytes(text));
const texts = (encoded: readonly FrameToSend[] | undefined) => encoded?.map((frame) => readBytes(asFrame(frame)));

const ECHO = serviceName("echo");
const NO_ID = requestId("");
const BODY = frames("one", "", "\u00ff\u0000");
const BODY_TEXTS = ["one", "", "\u00ff\u0000"];
const FAILURE: ToClient = {
  type: "failure",
  requestId: NO_ID,
  service: ECHO,
  failure: { code: "WORKER_LOST", message: "gone", delivery: "maybe-executed" },
};

interface Form {
  readonly id: string;
  readonly request: string[];
  readonly partial: string[] | undefined;
  readonly final: string[];
  /** The first frames of a worker's message with this command. */
  readonly worker: (command: "ready" | "request" | "partial" | "final" | "heartbeat" | "disconnect") => string[];
}

const FORMS: readonly Form[] = [
  {
    id: "mdp01",
    request: ["", "MDPC01", "echo"],
    partial: undefined,
    final: ["", "MDPC01", "echo"],
    worker: (command) => [
      "",
      "MDPW01",
      { ready: "\x01", request: "\x02", partial: "", final: "\x03", heartbeat: "\x04", disconnect: "\x05" }[command],
    ],
  },
  {
    id: "mdp02",
    request: ["MDPC02", "\x01", "echo"],
    partial: ["MDPC02", "\x02", "echo"],
    final: ["MDPC02", "\x03", "echo"],
    worker: (command) => [
      "MDPW02",
      { ready: "\x01", request: "\x02", partial: "\x03", final: "\x04", heartbeat: "\x05", disconnect: "\x06" }[
        command
      ],
    ],
  },
  {
    id: "mdp02-digits",
    request: ["MDPC02", "1", "echo"],
    partial: ["MDPC02", "2", "echo"],
    final: ["MDPC02", "3", "echo"],
    worker: (command) => [
      "MDPW02",
      { ready: "1", request: "2", partial: "3", final: "4", heartbeat: "5", disconnect: "6" }[command],
    ],
  },
  {
    id: "mdp02-delimited",
    request: ["", "MDPC02", "\x01", "echo"],
    partial: ["", "MDPC02", "\x02", "echo"],
    final: ["", "MDPC02", "\x03", "echo"],
    worker: (command) => [
      "",
      "MDPW02",
      { ready: "\x01", request: "\x02", partial: "\x03", final: "\x04", heartbeat: "\x05", disconnect: "\x06" }[
        command
      ],
    ],
  },
  {
    id: "mdp02-majortomo",
    request: ["", "MDPC02", "\x02", "echo"],
    partial: ["", "MDPC02", "\x03"],
    final: ["", "MDPC02", "\x04"],
    worker: (command) => [
      "",
      "MDPW02",
      { ready: "\x01", request: "\x02", partial: "\x03", final: "\x04", heartbeat: "\x05", disconnect: "\x06" }[
        command
      ],
    ],
  },
];

function dialect(id: string, answersErrors = false): Dialect {
  const found = majordomo({ answersErrors }).find(
    (candidate) => candidate.id === (answersErrors ? `${id}+errors` : id),
  );
  if (found === undefined) throw new Error(`no flavor ${id}`);
  return found;
}

test("this file lists every flavor", () => {
  expect(FORMS.map(({ id }) => id).sort()).toEqual(
    majordomo()
      .map(({ id }) => id)
      .sort(),
  );
});

describe.each(FORMS)("$id", ({ id, request, partial, final, worker }) => {
  const mdp = dialect(id);
  const answering = dialect(id, true);

  test("D-DET-2: a client is detected by its request, and by no other flavor", () => {
    const sent = frames(...request, ...BODY_TEXTS);
    expect(
      majordomo()
        .filter((other) => other.detect(sent) !== undefined)
        .map((other) => other.id),
    ).toEqual([id]);
    expect(mdp.detect(sent)).toBe("client");
  });

  test("D-DET-3: a worker is detected by any of its commands; majortomo's is the delimited flavor", () => {
    for (const command of ["ready", "final", "heartbeat", "disconnect"] as const) {
      const first = majordomo().find((other) => other.detect(frames(...worker(command), "x")) !== undefined);
      expect(first?.id).toBe(id === "mdp02-majortomo" ? "mdp02-delimited" : id);
    }
  });

  test("D-MDP-3: a request has a service and a body of any frames", () => {
    const sent = {
      type: "request",
      service: ECHO,
      requestId: NO_ID,
      body: BODY,
      isRaw: true,
      trailer: [],
      options: DEFAULT_REQUEST_OPTIONS,
    } as const;
    expect(texts(mdp.encodeFromClient(sent))).toEqual([...request, ...BODY_TEXTS]);
    expect(mdp.decodeFromClient(frames(...request, ...BODY_TEXTS))).toMatchObject({
      type: "request",
      service: ECHO,
      requestId: NO_ID,
      isRaw: true,
    });
    expect(bodyOf(mdp.decodeFromClient(frames(...request, ...BODY_TEXTS)))).toEqual(BODY_TEXTS);
  });

  test("D-MDP-3: a request without a body, without a service or with an empty one is invalid", () => {
    for (const sent of [
      request,
      request.slice(0, -1),
      [...request.slice(0, -1), "", "body"],
      [...request.slice(0, -1), "x".repeat(256), "body"],
    ]) {
      expect(mdp.decodeFromClient(frames(...sent))).toMatchObject({ type: "violation" });
    }
  });

  test("a client gets its reply, with partials if the flavor has them", () => {
    const reply = { requestId: NO_ID, service: ECHO, status: 0, body: BODY, isRaw: true, trailer: [] };
    expect(texts(mdp.encodeToClient({ type: "final", ...reply }, NO_CAPABILITIES))).toEqual([...final, ...BODY_TEXTS]);
    expect(texts(mdp.encodeToClient({ type: "partial", ...reply }, NO_CAPABILITIES))).toEqual(
      partial && [...partial, ...BODY_TEXTS],
    );
    const read = mdp.decodeToClient(frames(...final, ...BODY_TEXTS));
    expect(read).toMatchObject({ type: "final", status: 0, isRaw: true });
    expect(bodyOf(read)).toEqual(BODY_TEXTS);
    if (partial) expect(mdp.decodeToClient(frames(...partial, "x"))).toMatchObject({ type: "partial" });
  });

  test("D-MAP-5: a failure is not sent, or sent as a JSON body if the bind sets it", () => {
    expect(mdp.encodeToClient(FAILURE, NO_CAPABILITIES)).toBeUndefined();
    const error = {
      type: "final",
      requestId: NO_ID,
      service: ECHO,
      status: -1,
      body: frames('"no"'),
      trailer: [],
    } as const;
    expect(mdp.encodeToClient(error, NO_CAPABILITIES)).toBeUndefined();
    expect(texts(answering.encodeToClient(FAILURE, NO_CAPABILITIES))).toEqual([
      ...final,
      '{"code":"WORKER_LOST","message":"gone","delivery":"maybe-executed"}',
    ]);
    expect(texts(answering.encodeToClient(error, NO_CAPABILITIES))).toEqual([...final, '"no"']);
    const failure = { code: "BUSY", message: "full", delivery: "not-sent" } as const;
    const unnamed = answering.encodeToClient({ type: "failure", requestId: NO_ID, failure }, NO_CAPABILITIES);
    expect(texts(unnamed)?.slice(0, -1)).toEqual(final.map((frame) => (frame === ECHO ? "" : frame)));
    expect(texts(answering.encodeToClient({ ...error, status: 404 }, NO_CAPABILITIES))).toEqual([...final, "404"]);
  });

  test("D-MDP-4: READY has a service and nothing else", () => {
    const ready = { type: "ready", service: ECHO, offer: undefined } as const;
    expect(texts(mdp.encodeFromWorker(ready))).toEqual([...worker("ready"), "echo"]);
    expect(mdp.decodeFromWorker(frames(...worker("ready"), "echo"))).toEqual(ready);
    for (const rest of [[], [""], ["echo", "more"], ["x".repeat(256)]]) {
      expect(mdp.decodeFromWorker(frames(...worker("ready"), ...rest))).toMatchObject({ type: "violation" });
    }
  });

  test("D-MDP-5: a worker gets the client address, an empty frame and the body", () => {
    const dispatched: ToWorker = {
      type: "request",
      address: "~1.2",
      service: ECHO,
      requestId: requestId("r1"),
      body: BODY,
      trailer: frames("{}"),
      options: DEFAULT_REQUEST_OPTIONS,
    };
    expect(texts(mdp.encodeToWorker(dispatched))).toEqual([...worker("request"), "~1.2", "", ...BODY_TEXTS]);
    expect(mdp.decodeToWorker(frames(...worker("request"), "~1.2", "", ...BODY_TEXTS))).toMatchObject({
      type: "request",
      address: "~1.2",
    });
    for (const rest of [[], ["~1.2"], ["~1.2", ""], ["~1.2", "x", "y"], ["", "", "x"]]) {
      expect(mdp.decodeToWorker(frames(...worker("request"), ...rest))).toMatchObject({ type: "violation" });
    }
  });

  test("D-MDP-5: a worker's reply echoes the client address", () => {
    const reply: FromWorker = {
      type: "final",
      address: "~1.2",
      requestId: NO_ID,
      status: 0,
      body: BODY,
      isRaw: true,
      trailer: [],
    };
    expect(texts(mdp.encodeFromWorker(reply))).toEqual([...worker("final"), "~1.2", "", ...BODY_TEXTS]);
    const read = mdp.decodeFromWorker(frames(...worker("final"), "~1.2", "", ...BODY_TEXTS));
    expect(read).toMatchObject({ type: "final", address: "~1.2", status: 0, isRaw: true });
    expect(bodyOf(read)).toEqual(BODY_TEXTS);
    for (const rest of [[], ["~1.2"], ["~1.2", ""], ["", "", "x"], ["x".repeat(256), "", "x"]]) {
      expect(mdp.decodeFromWorker(frames(...worker("final"), ...rest))).toMatchObject({ type: "violation" });
    }
  });

  test("D-MDP-7: a reply without the empty frame decodes", () => {
    expect(bodyOf(mdp.decodeFromWorker(frames(...worker("final"), "~1.2", "x", "")))).toEqual(["x", ""]);
  });

  test("D-MDP-6: HEARTBEAT and DISCONNECT are only the command, in both directions", () => {
    for (const command of ["heartbeat", "disconnect"] as const) {
      expect(texts(mdp.encodeToWorker({ type: command }))).toEqual(worker(command));
      expect(mdp.decodeToWorker(frames(...worker(command)))).toEqual({ type: command });
      expect(mdp.decodeFromWorker(frames(...worker(command)))).toMatchObject({ type: command });
      expect(mdp.decodeFromWorker(frames(...worker(command), "more"))).toMatchObject({ type: "violation" });
    }
    expect(texts(mdp.encodeFromWorker({ type: "disconnect" }))).toEqual(worker("disconnect"));
    expect(texts(mdp.encodeFromWorker({ type: "heartbeat", concurrency: 5, update: true }))).toEqual(
      worker("heartbeat"),
    );
  });

  test("messages without frames in the protocol are not sent", () => {
    const addressed = { address: "~1.2", requestId: NO_ID };
    expect(mdp.encodeToWorker({ type: "ready", accepted: undefined })).toBeUndefined();
    expect(mdp.encodeToWorker({ type: "cancel", ...addressed })).toBeUndefined();
    expect(mdp.encodeFromWorker({ type: "reject", reason: undefined, ...addressed })).toBeUndefined();
    expect(mdp.encodeFromClient({ type: "heartbeat", offer: undefined })).toBeUndefined();
    expect(mdp.encodeToClient({ type: "heartbeat", accepted: undefined }, NO_CAPABILITIES)).toBeUndefined();
  });

  test("D-MDP-1: a message of more than 64 frames is invalid", () => {
    const many = frames(...request, ...new Array<string>(64).fill("x"));
    expect(mdp.decodeFromClient(many)).toMatchObject({ type: "violation", clause: "D-MDP-1" });
  });

  test("any frames decode to a message or a violation", () => {
    const known = [...request, ...final, ...worker("ready"), ...worker("final"), "~1.2", "", "\x07", "9"];
    const frame = fc.oneof(
      fc.constantFrom(...known).map((text) => writeBytes(text)),
      fc.uint8Array({ maxLength: 300 }),
    );
    const head = fc.constantFrom(
      request.slice(0, -1),
      worker("ready"),
      worker("partial"),
      worker("final"),
      worker("heartbeat"),
      [],
    );
    fc.assert(
      fc.property(head, fc.array(frame, { maxLength: 9 }), (start, rest) => {
        const sent = [...frames(...start), ...rest];
        mdp.detect(sent);
        for (const decode of [mdp.decodeFromClient, mdp.decodeFromWorker, mdp.decodeToClient, mdp.decodeToWorker]) {
          expect(decode(sent).type).toBeTypeOf("string");
        }
      }),
      { seed: Number(process.env.PIGATO_FUZZ_SEED) },
    );
  });
});

function bodyOf(message: object): string[] {
  const body: unknown = Reflect.get(message, "body");
  if (!Array.isArray(body)) throw new Error("no body");
  return body.map((frame) => readBytes(frame));
}
