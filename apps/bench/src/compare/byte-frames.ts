// The smallest framing of requests on a byte stream: length, number, body. All frames of one turn of the event loop leave
// with one write. Received bodies are not copied.

import type { Socket } from "node:net";

const HEAD_BYTES = 8;
/** Larger bodies are written without a copy. */
const LARGE_BYTES = 16 * 1024;
const BLOCK_BYTES = 256 * 1024;

/** Calls `onFrame` with each frame. The body is valid until the call returns. */
export function readFrames(socket: Socket, onFrame: (id: number, body: Buffer) => void): void {
  let rest: Buffer[] = [];
  let restBytes = 0;
  let neededBytes = HEAD_BYTES;
  socket.on("data", (data: Buffer) => {
    rest.push(data);
    restBytes += data.length;
    if (restBytes < neededBytes) return;
    const bytes = rest.length === 1 ? data : Buffer.concat(rest, restBytes);
    let offset = 0;
    neededBytes = HEAD_BYTES;
    while (bytes.length - offset >= HEAD_BYTES) {
      const end = offset + HEAD_BYTES + bytes.readUInt32LE(offset);
      neededBytes = end - offset;
      if (end > bytes.length) break;
      onFrame(bytes.readUInt32LE(offset + 4), bytes.subarray(offset + HEAD_BYTES, end));
      offset = end;
      neededBytes = HEAD_BYTES;
    }
    restBytes = bytes.length - offset;
    rest = restBytes === 0 ? [] : [bytes.subarray(offset)];
  });
}

export class FrameWriter {
  readonly #socket: Socket;
  #block: Buffer = Buffer.allocUnsafe(BLOCK_BYTES);
  #start = 0;
  #end = 0;
  #isScheduled = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** @param body bytes, or text in ASCII */
  write(id: number, body: string | Buffer): void {
    const { length } = body;
    const isLarge = length >= LARGE_BYTES;
    if (this.#end + HEAD_BYTES + (isLarge ? 0 : length) > BLOCK_BYTES) this.#newBlock();
    this.#end = this.#block.writeUInt32LE(length, this.#end);
    this.#end = this.#block.writeUInt32LE(id, this.#end);
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      this.#socket.cork();
      process.nextTick(() => this.#flush());
    }
    if (isLarge) {
      this.#writeCollected();
      this.#socket.write(body, "latin1");
    } else if (typeof body === "string") {
      this.#end += this.#block.write(body, this.#end, length, "latin1");
    } else {
      this.#end += body.copy(this.#block, this.#end);
    }
  }

  #flush(): void {
    this.#isScheduled = false;
    this.#writeCollected();
    this.#socket.uncork();
  }

  /** Writes the collected bytes; the socket owns them from then on. */
  #writeCollected(): void {
    if (this.#end > this.#start) this.#socket.write(this.#block.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }

  #newBlock(): void {
    this.#writeCollected();
    this.#block = Buffer.allocUnsafe(BLOCK_BYTES);
    this.#start = 0;
    this.#end = 0;
  }
}
