// What a way to ask a service must offer to be measured: each role runs in a process of its own, and each is told the
// address that the one before it returned. The client encodes and decodes JSON, and so does the worker; what lies between
// them is the peer's own affair.

/** What is asked: the service sends it back, or, where `parts` is there, streams so many parts. */
export interface Question {
  readonly text?: string;
  readonly parts?: number;
  /** Whether the parts are 64 KB of bytes each; otherwise they are numbers. */
  readonly bytes?: boolean;
}

/** Called once for each request, never before the call has returned. An error counts as a failure of the peer. */
export type Done = (error: unknown, answer?: unknown) => void;

/** One connection of a client. */
export interface Caller {
  call(question: Question, done: Done): void;
  /** Absent where the peer has no streams. `onPart` gets a number, or bytes if the question asked for them. */
  stream?(question: Question, onPart: (part: unknown) => void, done: Done): void;
}

export interface Started {
  /** Where the next role connects. */
  readonly address: string;
  /** Of the server program that does the role's work, where that is not the role's own process. */
  readonly pid?: number;
}

export type Role = "broker" | "worker";

export type Roles = { readonly [Name in Role]?: (address: string) => Promise<Started> };

export interface Peer extends Roles {
  client(address: string): Promise<Caller>;
}

/** A part of bytes, the same for everyone. */
export const CHUNK: Buffer = Buffer.alloc(64 * 1024, "0123456789abcdef");

export function isQuestion(data: unknown): data is Question {
  return typeof data === "object" && data !== null;
}

/** What a service got, as JSON: a question, for nobody here sends anything else. */
export function readQuestion(text: string): Question {
  const data: unknown = JSON.parse(text);
  if (!isQuestion(data)) throw new Error("the question is no object");
  return data;
}
