// A small Titanic (RFC 9) that shows that this broker supports one: three Majordomo workers and a Majordomo client in one
// program. It stores requests in memory; a production Titanic uses a disk.

import { randomUUID } from "node:crypto";
import type { RawPeer } from "@pigato/testkit/raw-peer";
import type { Form } from "./forms.ts";
import { bytePeer } from "./start.ts";

export class Titanic {
  readonly #form: Form;
  readonly #address: string;
  readonly #sockets: RawPeer[] = [];
  /** A stored request, and its reply once there is one. */
  readonly #kept = new Map<string, { readonly asked: readonly string[]; reply?: readonly string[] }>();

  constructor(address: string, form: Form) {
    this.#address = address;
    this.#form = form;
    void this.#serve("titanic.request", ([service = "", ...body]) => {
      const id = randomUUID().replaceAll("-", "");
      this.#kept.set(id, { asked: [service, ...body] });
      return ["200", id];
    });
    void this.#serve("titanic.reply", ([id = ""]) => {
      const kept = this.#kept.get(id);
      if (kept === undefined) return ["400"];
      return kept.reply === undefined ? ["300"] : ["200", ...kept.reply];
    });
    void this.#serve("titanic.close", ([id = ""]) => {
      this.#kept.delete(id);
      return ["200"];
    });
  }

  /** One round: sends every open request whose service has a worker. Returns how many it completed. */
  async work(): Promise<number> {
    const client = this.#connect();
    let done = 0;
    for (const kept of this.#kept.values()) {
      if (kept.reply !== undefined) continue;
      const [service = ""] = kept.asked;
      if ((await this.#ask(client, ["mmi.service", service]))[0] !== "200") continue;
      kept.reply = await this.#ask(client, kept.asked);
      done += 1;
    }
    client.close();
    return done;
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }

  async #ask(client: RawPeer, [service = "", ...body]: readonly string[]): Promise<string[]> {
    await client.send(...this.#form.request, service, ...body);
    return (await client.next()).slice(this.#form.final(service).length);
  }

  async #serve(service: string, answer: (body: readonly string[]) => readonly string[]): Promise<void> {
    const { worker } = this.#form;
    const at = worker.request.length;
    const socket = this.#connect();
    await socket.send(...worker.ready, service);
    for (;;) {
      const frames = await socket.next();
      if (frames[at - 1] !== worker.request.at(-1)) continue;
      await socket.send(...worker.final, frames[at] ?? "", "", ...answer(frames.slice(at + 2)));
    }
  }

  #connect(): RawPeer {
    const socket = bytePeer(this.#address);
    this.#sockets.push(socket);
    return socket;
  }
}
