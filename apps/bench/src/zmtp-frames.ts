// Reader and writer of ZMTP by themselves. Their package keeps them to itself, and a measurement of them alone is the one
// reason to reach past that: this is the only file that does.

export { BufferPool, FrameWriter } from "../../../packages/transport/src/zmtp/frame-writer.ts";
export { MessageReader } from "../../../packages/transport/src/zmtp/message-reader.ts";
