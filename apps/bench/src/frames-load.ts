// One case of what frames cost, in a process of its own: requests of 20 bytes and their replies are encoded, written, read
// and decoded on all four hops, without a socket; the answer is nanoseconds of CPU for a round trip. Named by the form:
// `frames`, as PIGATO's are, or `envelope`, with the names of a message in one frame.

import { DEFAULT_REQUEST_OPTIONS, type Frame, type FrameToSend, requestId, serviceName } from "@pigato/protocol";
import { asItIs, inOneFrame, type RoundTrip } from "./envelope.ts";
import { answer } from "./rounds.ts";
import { BufferPool, FrameWriter, MessageReader } from "./zmtp-frames.ts";

/** As many as share a write when some hundred are in flight. */
const BATCH = 50;
const BATCHES = 2_000;
const LIMITS = { maxFrameBytes: 1_000_000, maxMessageBytes: 1_000_000, maxFrames: 64 };

const form: RoundTrip = process.argv[2] === "envelope" ? inOneFrame : asItIs;
const body: readonly Frame[] = [Buffer.from('{"hello":"12345678"}')];
const trailer: readonly Frame[] = [Buffer.from('{"timeout":60000,"retry":0}')];
const service = serviceName("echo");
const pool = new BufferPool();
const REPLY = { status: 0, body, trailer: [Buffer.from("{}")] } as const;
let asked = 0;

const toBroker = hop(form.decodeFromClient);
const toWorker = hop(form.decodeToWorker);
const backToBroker = hop(form.decodeFromWorker);
const backToClient = hop(form.decodeToClient);

answer(() => {
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
        ? form.encodeToWorker({ ...message, address: `~${index}.${asked + index}` })
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
  const answers = backToClient(
    replies.map((message) =>
      message.type === "final"
        ? form.encodeToClient({ type: "final", requestId: message.requestId, service, ...REPLY })
        : undefined,
    ),
  );
  if (answers.at(-1)?.type !== "final") throw new Error("the last request has no answer");
}

function request(): Parameters<RoundTrip["encodeFromClient"]>[0] {
  asked += 1;
  const id = requestId(`7f9c24e83b1a${asked.toString(36)}`);
  return { type: "request", service, requestId: id, body, trailer, options: DEFAULT_REQUEST_OPTIONS };
}

/** Writes messages and reads them again, as one end sends them and the other hears them. */
function hop<Message>(decode: (frames: readonly Frame[]) => Message) {
  const writer = new FrameWriter(pool);
  let heard: Message[] = [];
  const reader = new MessageReader(LIMITS, { onMessage: (frames) => heard.push(decode(frames)), onCommand: () => {} });
  return (messages: readonly (FrameToSend[] | undefined)[]): readonly Message[] => {
    heard = [];
    for (const frames of messages) if (frames !== undefined) writer.add(frames);
    const { pieces, buffers } = writer.take();
    for (const piece of pieces) reader.read(Buffer.from(piece.buffer, piece.byteOffset, piece.length), 0, false);
    for (const buffer of buffers) pool.giveBack(buffer);
    return heard;
  };
}
