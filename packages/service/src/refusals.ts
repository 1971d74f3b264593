// Requests that a host refuses before a handler runs (P-FAIL-6).

import { describeIssues, type Issue } from "@pigato/contract";
import { shortName } from "@pigato/contract/internal";
import { type FailureCode, RequestError } from "@pigato/protocol";
import type { Reply } from "@pigato/worker";
import type { Flaw } from "./call-form.ts";
import type { HostedMethod } from "./hosted-method.ts";
import type { HostedService } from "./hosted-service.ts";

/** Why a request is refused. No worker has run it, and none would. */
export interface Refusal extends Pick<RequestError, "name" | "message" | "delivery"> {
  readonly code: FailureCode;
  readonly detail?: unknown;
}

export function refuse(reply: Reply, { name, code, message, delivery, detail }: Refusal): void {
  if (reply.active()) reply.error({ name, code, message, delivery, detail });
}

export function unreadable(service: HostedService, { code, reason }: Flaw): Refusal {
  const hint = code === "UNIMPLEMENTED" ? `; the service has ${service.describeMethods()}` : "";
  return refusal(code, `a request to service "${service.name}" was refused: ${reason}${hint}`);
}

export function unknownMethod(service: HostedService, name: string): Refusal {
  const known = service.describeMethods();
  return refusal(
    "UNIMPLEMENTED",
    `service "${service.name}" has no method ${JSON.stringify(shortName(name))}: it has ${known}`,
  );
}

export function invalidInput({ fullName }: HostedMethod, issues: readonly Issue[]): Refusal {
  const message = `the input of ${fullName} is invalid: ${describeIssues(issues)}`;
  return { ...refusal("INVALID_ARGUMENT", message), detail: { issues } };
}

export function noChunks({ fullName }: HostedMethod): Refusal {
  return refusal("INVALID_ARGUMENT", `${fullName} takes streamed input, and the request has none`);
}

/** Whether the host threw this error, because input does not match its schema. One of a nested request has an id. */
export function isRefusal(error: unknown): error is RequestError {
  return error instanceof RequestError && error.code === "INVALID_ARGUMENT" && error.requestId === undefined;
}

function refusal(code: FailureCode, message: string): Refusal {
  return { name: "RequestError", message, code, delivery: "dispatched" };
}
