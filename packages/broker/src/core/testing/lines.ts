// Messages and events as one readable line each. Scenario tests compare these lines, so they hold what a reviewer needs: no
// address tokens, no empty frames.

import { type Capabilities, display, type Frame, readText, type ToClient, type ToWorker } from "@pigato/protocol";
import { formatCapabilities } from "@pigato/protocol/internal";
import type { BrokerEvent } from "../effects.ts";

export function toClientLine(message: ToClient): string {
  switch (message.type) {
    case "heartbeat":
      return withCapabilities("heartbeat", message.accepted);
    case "partial":
    case "final": {
      const status = message.status === 0 ? "" : `status ${message.status} `;
      return `${message.type} ${display(message.requestId)} ${status}${text(message.body)}`;
    }
    case "partials":
      return `partials ${display(message.requestId)} ${text(message.chunks)}`;
    case "failure":
      return `failure ${display(message.requestId)} ${message.failure.code} (${message.failure.delivery})`;
    case "notice":
      return `notice ${display(message.requestId)} ${message.state}${message.worker === undefined ? "" : ` ${message.worker}`}`;
    case "credit":
      return `credit ${display(message.requestId)} ${message.chunks}`;
    case "request-heartbeat":
    case "input":
    case "input-end":
      return `${message.type} ${display(message.requestId)}`;
    default:
      return message satisfies never;
  }
}

export function toWorkerLine(message: ToWorker): string {
  switch (message.type) {
    case "ready":
      return withCapabilities("ready", message.accepted);
    case "service-answer": {
      const { refusal } = message;
      const why = refusal === undefined ? "" : ` refused ${refusal.code}: ${refusal.message}`;
      return `service ${display(message.service)}${why}`;
    }
    case "request":
      return `request ${display(message.requestId)} to ${display(message.service)}${first(message.credit)}${factsOf(message)}`;
    case "heartbeat":
      return message.isDrained ? "heartbeat: drained" : message.type;
    case "disconnect":
      return message.reason === undefined
        ? message.type
        : `disconnect ${message.reason.code}: ${message.reason.message}`;
    case "credit":
      return `credit ${display(message.requestId)} ${message.chunks}`;
    case "input":
      return `input ${display(message.requestId)} ${text(message.chunks)}`;
    case "cancel": {
      const { reason } = message;
      return `cancel ${display(message.requestId)}${reason === undefined ? "" : ` ${reason.code}: ${reason.message}`}`;
    }
    case "request-heartbeat":
    case "input-end":
      return `${message.type} ${display(message.requestId)}`;
    default:
      return message satisfies never;
  }
}

export function eventLine(event: BrokerEvent): string {
  switch (event.type) {
    case "worker-up":
      return `worker-up ${display(event.worker)} ${display(event.service)}`;
    case "worker-down":
      return `worker-down ${display(event.worker)} ${event.reason}`;
    case "client-up":
      return `client-up ${display(event.client)}`;
    case "client-down":
      return `client-down ${display(event.client)} ${event.reason}`;
    case "request-failed":
      return `request-failed ${display(event.client)}/${display(event.requestId)} ${event.code}`;
    case "request-cached":
      return `request-cached ${display(event.client)}/${display(event.requestId)}`;
    case "request-restored":
      return `request-restored ${display(event.client)}/${display(event.requestId)}`;
    case "reply-held":
    case "reply-delivered":
      return `${event.type} ${display(event.client)}/${display(event.requestId)}`;
    case "store-failed":
      return `store-failed ${event.operation} ${Number(event.key)}`;
    case "request-requeued":
      return `request-requeued ${display(event.requestId)} from ${display(event.worker)}`;
    case "request-exhausted": {
      const ids = `${display(event.client)}/${display(event.requestId)}`;
      return `request-exhausted ${ids} after ${event.dispatches}, the last at ${display(event.worker)}`;
    }
    case "violation":
      return `violation ${display(event.peer)} ${event.violation.clause}`;
    case "dropped": {
      const id = event.requestId === undefined ? "" : ` ${display(event.requestId)}`;
      return `dropped ${display(event.peer)} ${event.reason}${id}`;
    }
    default:
      return event satisfies never;
  }
}

function factsOf({ deadlineMs, caller, attempt }: ToWorker & { readonly type: "request" }): string {
  const left = deadlineMs === undefined ? "" : ` deadline ${deadlineMs}`;
  const from = caller === undefined ? "" : ` caller ${display(caller)}`;
  return `${left}${from}${attempt === undefined ? "" : ` attempt ${attempt}`}`;
}

function first(credit: number | undefined): string {
  return credit === undefined ? "" : ` credit ${credit}`;
}

function withCapabilities(word: string, accepted: Capabilities | undefined): string {
  return accepted === undefined ? word : `${word} [${formatCapabilities(accepted)}]`;
}

function text(body: readonly Frame[]): string {
  return body.map((frame) => JSON.stringify(readText(frame))).join(" ");
}
