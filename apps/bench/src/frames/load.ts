// One case of `pnpm bench frames`, in its own process: encodes, writes, reads and decodes requests of 20 bytes and their replies
// on all four hops, without a socket, and reports the nanoseconds of CPU per round trip. The name of the case is the form:
// `frames` of PIGATO, or `envelope`, with all names of a message in one frame.

import { DEFAULT_REQUEST_OPTIONS, type Frame, type FrameToSend, requestId, serviceName } from "@pigato/protocol";
// The transport does not export these, so this file imports them by a path.
import { BufferPool, FrameWriter } from "../../../../packages/transport/src/zmtp/frame-writer.ts";
import { MessageReader } from "../../../../packages/transport/src/zmtp/message-reader.ts";
import { serveRounds } from "../rounds.ts";
import { envelopeForm, framesForm, type RoundTrip } from "./envelope.ts";

/** About as many messages share a write when a few hundred requests are in flight. */
const BATCH = 50;
const BATCHES = 2_000;
const LIMITS = { maxFrameBytes: 1_000_000, maxMessageBytes: 1_000_000, maxFrames: 64 };

const form: RoundTrip = process.argv[2] === "envelope" ? envelopeForm : framesForm;
const body: readonly Frame[] = [Buffer.from('{"hello":"12345678"}')];
const trailer: readonly Frame[] = [Buffer.from('{"timeout":60000,"retry":0}')];
const service = serviceName("echo");
const pool = new BufferPool();
const REPLY = { status: 0, body, trailer: [Buffer.from("{}")] } as const;
let sent = 0;

const toBroker = hop(form.decodeFromClient);
const toWorker = hop(form.decodeToWorker);
const backToBroker = hop(form.decodeFromWorker);
const backToClient = hop(form.decodeToClient);

serveRounds(() => {
  const start = process.cpuUsage();
  for (let count = 0; count < BATCHES; count++) trip();
  const { user, system } = process.cpuUsage(start);
  return ((user + system) * 1_000) / (BATCHES * BATCH);
});

function trip(): void {
  const requests = toBroker(Array.from({ length: BATCH }, () => form.encodeFromClient(request())));
  const dispatched = toWorker(
    requests.map((message, index) =>
      message.type === "request"
        ? form.encodeToWorker({ ...message, address: `~${index}.${sent + index}` })
        : undefined,
    ),
  );
  const replies = backToBroker(
    dispatched.map((message) =>
      message.type === "request"
        ? form.encodeFromWorker({ type: "final", address: message.address, requestId: message.requestId, ...REPLY })
        : undefined,
    ),
  );
  const finals = backToClient(
    replies.map((message) =>
      message.type === "final"
        ? form.encodeToClient({ type: "final", requestId: message.requestId, service, ...REPLY })
        : undefined,
    ),
  );
  if (finals.at(-1)?.type !== "final") throw new Error("the last request has no reply");
}

function request(): Parameters<RoundTrip["encodeFromClient"]>[0] {
  sent += 1;
  const id = requestId(`7f9c24e83b1a${sent.toString(36)}`);
  return { type: "request", service, requestId: id, body, trailer, options: DEFAULT_REQUEST_OPTIONS };
}

/** Writes messages and reads them back, as sender and receiver do. */
function hop<Message>(decode: (frames: readonly Frame[]) => Message) {
  const writer = new FrameWriter(pool);
  let received: Message[] = [];
  const reader = new MessageReader(LIMITS, {
    onMessage: (frames) => received.push(decode(frames)),
    onCommand: () => {},
  });
  return (messages: readonly (FrameToSend[] | undefined)[]): readonly Message[] => {
    received = [];
    for (const frames of messages) if (frames !== undefined) writer.add(frames);
    const { pieces, buffers } = writer.take();
    for (const piece of pieces) reader.read(Buffer.from(piece.buffer, piece.byteOffset, piece.length), 0, false);
    for (const buffer of buffers) pool.giveBack(buffer);
    return received;
  };
}
