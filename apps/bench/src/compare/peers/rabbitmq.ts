// RabbitMQ with direct reply-to: the broker hands answers to the client's channel without a queue. Nothing is durable and
// nothing is acknowledged, as in every other peer here.

import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Channel, connect } from "amqplib";
import { CHUNK, type Peer, readQuestion } from "../peer.ts";
import { Pending } from "../pending.ts";
import { freePort, runServer, scratchFolder } from "../server.ts";

const QUEUE = "echo";
const REPLY_TO = "amq.rabbitmq.reply-to";
/** Debian's own script in the PATH would change the user. */
const PROGRAM = "/usr/lib/rabbitmq/bin/rabbitmq-server";

export const rabbitmq: Peer = {
  async broker() {
    const folder = scratchFolder();
    const [port, distributionPort, namesPort] = [await freePort(), await freePort(), await freePort()];
    // Erlang's name server would stay when all is over; this one goes with us.
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
        const question = readQuestion(message.content.toString());
        const reply = (body: Buffer) => channel.sendToQueue(replyTo, body, { correlationId });
        if (question.parts === undefined) return void reply(Buffer.from(JSON.stringify(question)));
        for (let part = 0; part < question.parts; part++) {
          reply(question.bytes ? CHUNK : Buffer.from(JSON.stringify(part)));
        }
      },
      { noAck: true },
    );
    return { address };
  },

  async client(address) {
    const channel = await openChannel(address);
    const pending = new Pending();
    await channel.consume(
      REPLY_TO,
      (message) => {
        if (message === null) return;
        const { content, properties } = message;
        const isChunk = content.length === CHUNK.length && content[0] === CHUNK[0];
        pending.settle(Number(properties.correlationId), isChunk ? content : JSON.parse(content.toString()));
      },
      { noAck: true },
    );
    const send = (question: unknown, id: number) => {
      const options = { replyTo: REPLY_TO, correlationId: String(id) };
      channel.sendToQueue(QUEUE, Buffer.from(JSON.stringify(question)), options);
    };
    return {
      call: (question, done) => send(question, pending.add(done)),
      stream: (question, onPart, done) => send(question, pending.add(done, onPart, question.parts)),
    };
  },
};

async function openChannel(address: string): Promise<Channel> {
  const connection = await connect(address, { noDelay: true });
  return connection.createChannel();
}
