// RabbitMQ with direct reply-to: replies reach the client's channel without a queue. Nothing is durable or acknowledged, as
// with every other peer here.

import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Channel, connect } from "amqplib";
import { CHUNK, isChunk, type Peer, parseRequest } from "../peer.ts";
import { PendingRequests } from "../pending-requests.ts";
import { freePort, runServer, scratchFolder } from "../server.ts";

const QUEUE = "echo";
const REPLY_TO = "amq.rabbitmq.reply-to";
/** The script that Debian puts into the PATH changes the user. */
const PROGRAM = "/usr/lib/rabbitmq/bin/rabbitmq-server";

export const rabbitmq: Peer = {
  async broker() {
    const folder = scratchFolder();
    const [port, distributionPort, namesPort] = [await freePort(), await freePort(), await freePort()];
    // Erlang starts a name server (epmd) that would outlive the run, so run our own.
    const names = spawn("epmd", ["-port", String(namesPort), "-address", "127.0.0.1"], { stdio: "ignore" });
    process.on("exit", () => names.kill("SIGKILL"));
    const plugins = join(folder, "plugins");
    writeFileSync(plugins, "[].");
    const pidFile = join(folder, "pid");
    await runServer({
      program: PROGRAM,
      args: [],
      env: {
        HOME: folder,
        ERL_EPMD_PORT: String(namesPort),
        RABBITMQ_CONF_ENV_FILE: "/dev/null",
        RABBITMQ_NODENAME: "bench@localhost",
        RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
        RABBITMQ_NODE_PORT: String(port),
        RABBITMQ_DIST_PORT: String(distributionPort),
        RABBITMQ_MNESIA_BASE: folder,
        RABBITMQ_LOG_BASE: folder,
        RABBITMQ_ENABLED_PLUGINS_FILE: plugins,
        RABBITMQ_PID_FILE: pidFile,
      },
      ready: /Starting broker\.\.\. completed/,
    });
    return { address: `amqp://127.0.0.1:${port}`, pid: Number(readFileSync(pidFile, "utf8")) };
  },

  async worker(address) {
    const channel = await openChannel(address);
    await channel.assertQueue(QUEUE, { durable: false });
    await channel.consume(
      QUEUE,
      (message) => {
        if (message === null) return;
        const { replyTo, correlationId } = message.properties;
        const request = parseRequest(message.content.toString());
        const reply = (body: Buffer) => channel.sendToQueue(replyTo, body, { correlationId });
        if (request.partials === undefined) return void reply(Buffer.from(JSON.stringify(request)));
        for (let number = 0; number < request.partials; number++) {
          reply(request.bytes ? CHUNK : Buffer.from(JSON.stringify(number)));
        }
      },
      { noAck: true },
    );
    return { address };
  },

  async client(address) {
    const channel = await openChannel(address);
    const pending = new PendingRequests();
    await channel.consume(
      REPLY_TO,
      (message) => {
        if (message === null) return;
        const { content, properties } = message;
        pending.settle(Number(properties.correlationId), isChunk(content) ? content : JSON.parse(content.toString()));
      },
      { noAck: true },
    );
    const send = (request: unknown, id: number) => {
      const options = { replyTo: REPLY_TO, correlationId: String(id) };
      channel.sendToQueue(QUEUE, Buffer.from(JSON.stringify(request)), options);
    };
    return {
      call: (request, done) => send(request, pending.add(done)),
      stream: (request, onPartial, done) => send(request, pending.add(done, onPartial, request.partials)),
    };
  },
};

async function openChannel(address: string): Promise<Channel> {
  const connection = await connect(address, { noDelay: true });
  return connection.createChannel();
}
