// A tcp proxy that passes bytes on at a limited rate, as a slow network does. What it has not passed on stays with the sender, apart
// from what the sockets of the kernel hold.

import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** Milliseconds between two pieces. */
const STEP_MS = 20;

export interface Rates {
  /** Bytes per second from those that connect to the target. @defaultValue no limit */
  readonly upBytes?: number;
  /** Bytes per second from the target. @defaultValue no limit */
  readonly downBytes?: number;
}

/** @returns the address of a proxy for `target`, which ends with the test */
export async function startSlowProxy(target: string, { upBytes, downBytes }: Rates): Promise<string> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const server = createServer({ pauseOnConnect: true }, (near) => {
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.setNoDelay();
      socket.on("error", () => {});
      socket.on("close", () => {
        near.destroy();
        far.destroy();
      });
    }
    passOn(near, far, upBytes);
    passOn(far, near, downBytes);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  return `tcp://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
}

function passOn(from: Socket, to: Socket, bytesPerSecond: number | undefined): void {
  if (bytesPerSecond === undefined) {
    from.pipe(to);
    return;
  }
  const pieceBytes = Math.ceil((bytesPerSecond * STEP_MS) / 1000);
  const timer = setInterval(() => {
    const piece: unknown = from.read(Math.min(pieceBytes, from.readableLength));
    if (piece instanceof Uint8Array) to.write(piece);
  }, STEP_MS);
  // Only a listener makes the socket read.
  from.on("readable", () => {});
  from.on("close", () => clearInterval(timer));
}
