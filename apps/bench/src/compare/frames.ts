// Length, number, body: the least that a request over a byte stream needs. All that is written in a turn leaves with one
// write; what is read is cut where it lies.

import type { Socket } from "node:net";

const HEAD_BYTES = 8;
/** Bodies from here on are not copied. */
const LARGE_BYTES = 16 * 1024;
const ROOM_BYTES = 256 * 1024;

/** Calls `onFrame` with each frame; the body may be used until it returns. */
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
  #room: Buffer = Buffer.allocUnsafe(ROOM_BYTES);
  #start = 0;
  #end = 0;
  #isDue = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** @param text of ASCII alone, or bytes */
  write(id: number, body: string | Buffer): void {
    const { length } = body;
    const isLarge = length >= LARGE_BYTES;
    if (this.#end + HEAD_BYTES + (isLarge ? 0 : length) > ROOM_BYTES) this.#renew();
    this.#end = this.#room.writeUInt32LE(length, this.#end);
    this.#end = this.#room.writeUInt32LE(id, this.#end);
    if (!this.#isDue) {
      this.#isDue = true;
      this.#socket.cork();
      process.nextTick(() => this.#flush());
    }
    if (isLarge) {
      this.#hand();
      this.#socket.write(body, "latin1");
    } else if (typeof body === "string") {
      this.#end += this.#room.write(body, this.#end, length, "latin1");
    } else {
      this.#end += body.copy(this.#room, this.#end);
    }
  }

  #flush(): void {
    this.#isDue = false;
    this.#hand();
    this.#socket.uncork();
  }

  /** Hands over what was written; the socket owns those bytes from then on. */
  #hand(): void {
    if (this.#end > this.#start) this.#socket.write(this.#room.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }

  #renew(): void {
    this.#hand();
    this.#room = Buffer.allocUnsafe(ROOM_BYTES);
    this.#start = 0;
    this.#end = 0;
  }
}
