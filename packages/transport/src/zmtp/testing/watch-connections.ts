// Checks every connection after every step, in every test that imports this file, as all rigs do: what is sent and in which order,
// what counts as waiting, which buffers are lent, and which reports a link makes.

import { afterEach } from "vitest";
import { type FramesToSend, toBytes } from "../../byte-strings.ts";
import { Outbox } from "../../outbox.ts";
import { SendBudget } from "../../send-budget.ts";
import { ZmtpDealer } from "../dealer.ts";
import { BufferPool, FrameWriter } from "../frame-writer.ts";
import { ZmtpPublisher } from "../publisher.ts";
import { ZmtpPuller } from "../puller.ts";
import { ZmtpRouter } from "../router.ts";
import { Sender } from "../sender.ts";
import type { SocketConnection } from "../socket-connection.ts";
import { ZmtpSubscriber } from "../subscriber.ts";
import { UnfinishedMessage } from "../unfinished.ts";
import type { Violation } from "../wire.ts";

/** The first broken invariant. The connection continues, and the test fails at its end. */
let failure: Error | undefined;

afterEach(() => {
  const first = failure;
  failure = undefined;
  if (first !== undefined) throw first;
});

watchOutboxes();
watchBudgets();
watchSenders();
watchBuffers();
watchUnfinished();
for (const { prototype } of [ZmtpRouter, ZmtpDealer, ZmtpPublisher, ZmtpSubscriber, ZmtpPuller])
  watchReports(prototype);

const { onEnd } = ZmtpPublisher.prototype;
ZmtpPublisher.prototype.onEnd = function onEndForgotten(connection, violation) {
  onEnd.call(this, connection, violation);
  invariant(![...this.audit()].includes(connection), "a publisher remembers a connection that has ended");
};

function invariant(holds: boolean, otherwise: string): void {
  if (!holds) failure ??= new Error(`broken invariant: ${otherwise}`);
}

/** A message that would pin much memory is copied. */
function isSame(one: FramesToSend | undefined, other: FramesToSend | undefined): boolean {
  if (one === undefined || other === undefined || one === other) return one === other;
  const bytes = toBytes(one);
  return (
    bytes.length === other.length &&
    toBytes(other).every((frame, at) => Buffer.compare(frame, bytes[at] ?? frame) === 0)
  );
}

/** An outbox is a queue, and its bytes are those of its messages. */
function watchOutboxes(): void {
  const queues = new WeakMap<Outbox, FramesToSend[]>();
  const { offer, shift, endWrite } = Outbox.prototype;
  const queueOf = (outbox: Outbox): FramesToSend[] => {
    const queue = queues.get(outbox) ?? [];
    queues.set(outbox, queue);
    return queue;
  };
  const check = (outbox: Outbox): void => {
    const { bytes, messages, writing, holding } = outbox.audit();
    const queue = queueOf(outbox);
    invariant(messages === queue.length, `${messages} messages count as waiting, ${queue.length} do`);
    invariant(outbox.isEmpty === (messages === 0) && isSame(outbox.first, queue[0]), "another message is the first");
    invariant(messages > 0 ? bytes > 0 : bytes === 0, `${bytes} bytes count as waiting in ${messages} messages`);
    if (holding === undefined || holding.isEvicted) return;
    invariant(holding.bytes === bytes + writing, `${holding.bytes} bytes count for a peer, ${bytes + writing} wait`);
  };
  Outbox.prototype.offer = function offerChecked(frames, isUrgent) {
    const { isEmpty: wasEmpty } = this;
    const queue = queueOf(this);
    // Before the call, which may evict the peer and with it this message.
    queue.push(frames);
    const outcome = offer.call(this, frames, isUrgent);
    if (outcome === "congested") queue.pop();
    invariant(!wasEmpty || outcome !== "congested", "an empty outbox is congested");
    check(this);
    return outcome;
  };
  Outbox.prototype.shift = function shiftChecked() {
    const frames = shift.call(this);
    invariant(isSame(frames, queueOf(this).shift()), "a message overtakes another one");
    check(this);
    return frames;
  };
  Outbox.prototype.endWrite = function endWriteChecked() {
    endWrite.call(this);
    invariant(this.audit().writing === 0, "a write has ended and still counts");
    check(this);
  };
}

/** What waits for all peers is the sum of what waits for each. */
function watchBudgets(): void {
  const sums = new WeakMap<SendBudget, number>();
  const { count } = SendBudget.prototype;
  SendBudget.prototype.count = function countChecked(holding, bytes) {
    if (!holding.isEvicted) sums.set(this, (sums.get(this) ?? 0) + bytes);
    count.call(this, holding, bytes);
    const sum = sums.get(this) ?? 0;
    invariant(this.bytes === sum, `${this.bytes} bytes count as waiting for all peers, ${sum} do`);
    invariant(
      holding.bytes >= 0 && this.bytes >= holding.bytes,
      `${holding.bytes} of ${this.bytes} bytes wait for a peer`,
    );
  };
}

/** Whatever is to be sent is written, or something will write it: a flush, or the end of a write. */
function watchSenders(): void {
  const { open, send, sendEncoded, sendFrame, answerPing, flush, close } = Sender.prototype;
  const active = new Set<Sender>();
  /** Checks a sender after a call, unless it is within another call. */
  const checked = <Outcome>(sender: Sender, call: () => Outcome): Outcome => {
    if (active.has(sender)) return call();
    active.add(sender);
    try {
      return call();
    } finally {
      active.delete(sender);
      checkSender(sender);
    }
  };
  Sender.prototype.open = function openChecked(protection) {
    checked(this, () => open.call(this, protection));
  };
  Sender.prototype.send = function sendChecked(frames, isUrgent) {
    return checked(this, () => send.call(this, frames, isUrgent));
  };
  Sender.prototype.sendEncoded = function sendEncodedChecked(bytes) {
    checked(this, () => sendEncoded.call(this, bytes));
  };
  Sender.prototype.sendFrame = function sendFrameChecked(flags, body) {
    checked(this, () => sendFrame.call(this, flags, body));
  };
  Sender.prototype.answerPing = function answerPingChecked(context) {
    checked(this, () => answerPing.call(this, context));
  };
  // The sender itself calls it before each of the messages that wait.
  Sender.prototype.flush = function flushChecked() {
    flush.call(this);
    checkOutput(this);
  };
  Sender.prototype.close = function closeChecked() {
    const before = this.audit();
    invariant(before.isBlocked || before.lent === 0, `${before.lent} buffers are lent to no write`);
    close.call(this);
    const { isOpen, hasOutput, lent } = this.audit();
    invariant(!isOpen && !hasOutput && lent === 0, "a closed sender has something to write");
  };
}

function checkSender(sender: Sender): void {
  checkOutput(sender);
  const { isOpen, isBlocked, isDestroyed, hasPong, hasMessages } = sender.audit();
  if (isDestroyed) return;
  invariant(isBlocked || !hasPong, "a PONG waits for no write");
  invariant(isBlocked || !isOpen || !hasMessages, "messages wait although the kernel takes more");
}

function checkOutput(sender: Sender): void {
  const { isDirty, isBlocked, isDestroyed, hasOutput, lent } = sender.audit();
  if (isDestroyed) return;
  invariant(isBlocked || lent === 0, `${lent} buffers are lent to no write`);
  invariant(isBlocked || isDirty || !hasOutput, "bytes wait for no flush");
}

/** No buffer is used by two writers at once, and all bytes are written. */
function watchBuffers(): void {
  const idle = new WeakSet<Buffer>();
  const { take, giveBack } = BufferPool.prototype;
  BufferPool.prototype.take = function takeChecked() {
    const buffer = take.call(this);
    idle.delete(buffer);
    return buffer;
  };
  BufferPool.prototype.giveBack = function giveBackChecked(buffer) {
    invariant(!idle.has(buffer), "a buffer is returned twice");
    idle.add(buffer);
    giveBack.call(this, buffer);
  };
  const { take: takeOutput } = FrameWriter.prototype;
  FrameWriter.prototype.take = function takeOutputChecked() {
    const { bytes } = this;
    const output = takeOutput.call(this);
    const written = output.pieces.reduce((sum, { length }) => sum + length, 0);
    invariant(written === bytes && this.bytes === 0, `${bytes} bytes count as written, ${written} are`);
    for (const buffer of output.buffers) invariant(!idle.has(buffer), "an idle buffer is written");
    return output;
  };
}

/** The bytes of all unfinished messages are counted, and those of an ended connection are not. */
function watchUnfinished(): void {
  const { update, check, stop } = UnfinishedMessage.prototype;
  const checkBytes = ({ budget }: UnfinishedMessage): void => {
    let kept = 0;
    for (const message of budget.audit()) kept += message.keptBytes;
    invariant(kept === budget.bytes, `${budget.bytes} bytes count as unfinished, ${kept} are`);
  };
  UnfinishedMessage.prototype.update = function updateChecked(size, hasEnded, now) {
    update.call(this, size, hasEnded, now);
    checkBytes(this);
  };
  UnfinishedMessage.prototype.check = function checkChecked(now) {
    check.call(this, now);
    checkBytes(this);
  };
  UnfinishedMessage.prototype.stop = function stopChecked() {
    stop.call(this);
    checkBytes(this);
    const isForgotten = ![...this.budget.audit()].includes(this);
    invariant(isForgotten && this.bytes === 0 && this.keptBytes === 0, "an unfinished message outlives its connection");
  };
}

interface Link {
  onUp(connection: SocketConnection): void;
  onMessage(connection: SocketConnection, frames: readonly Uint8Array[]): void;
  onEnd(connection: SocketConnection, violation: Violation | undefined): void;
}

/** A connection is up once and ends once. Its messages arrive between the two. */
function watchReports(link: Link): void {
  const phases = new WeakMap<SocketConnection, "up" | "ended">();
  const { onUp, onMessage, onEnd } = link;
  link.onUp = function onUpChecked(connection) {
    invariant(!phases.has(connection), `a connection is up that was ${phases.get(connection)}`);
    phases.set(connection, "up");
    onUp.call(this, connection);
  };
  link.onMessage = function onMessageChecked(connection, frames) {
    invariant(phases.get(connection) === "up", `a message comes from a connection that is ${phases.get(connection)}`);
    onMessage.call(this, connection, frames);
  };
  link.onEnd = function onEndChecked(connection, violation) {
    const phase = phases.get(connection);
    invariant(phase !== "ended" && connection.wasUp === (phase === "up"), `a connection ends that is ${phase}`);
    phases.set(connection, "ended");
    onEnd.call(this, connection, violation);
  };
}
