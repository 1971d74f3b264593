// What a system must implement to be measured. Broker, worker and client run in processes of their own; each gets the
// address that the one before it returned. Client and worker read and write JSON; what happens between them is the system's own.

/** The payload of a request. The service echoes it or, with `partials`, streams that many. */
export interface EchoRequest {
  readonly text?: string;
  readonly partials?: number;
  /** Whether the partials are chunks of 64 KB; otherwise they are numbers. */
  readonly bytes?: boolean;
  /** Chunks of 64 KB that the client sends; the reply is their number. */
  readonly uploads?: number;
}

/** Called once per request, never before the call has returned. An error counts as a failure of the peer. */
export type Done = (error: unknown, reply?: unknown) => void;

/** One connection of a client. */
export interface ClientConnection {
  call(request: EchoRequest, done: Done): void;
  /** The service echoes bytes. Absent if the peer has no calls with bytes as they are. */
  callBytes?(bytes: Buffer, done: Done): void;
  /** Sends as many chunks as the request says. Absent if the peer has no streams of a client with flow control. */
  upload?(request: EchoRequest, done: Done): void;
  /** Absent if the peer has no streams. `onPartial` gets a number, or bytes if the request says so. */
  stream?(request: EchoRequest, onPartial: (partial: unknown) => void, done: Done): void;
}

export interface Started {
  /** Where the next role connects. */
  readonly address: string;
  /** Process id of the server program that does the role's work, if that is not the role's own process. */
  readonly pid?: number;
}

export type ServerRole = "broker" | "worker";
export type Role = "client" | ServerRole;

export interface Peer extends ServerRoles {
  client(address: string): Promise<ClientConnection>;
}

export type ServerRoles = { readonly [Name in ServerRole]?: (address: string) => Promise<Started> };

/** A chunk of bytes, the same for every peer. */
export const CHUNK: Buffer = Buffer.alloc(64 * 1024, "0123456789abcdef");

/** The body of a call with bytes: NATS allows no more. */
export const BODY: Buffer = Buffer.alloc(1024 * 1024, "0123456789abcdef");

/** Whether this is `CHUNK`, as far as a look at its length and first byte tells. */
export function isChunk(body: string | Uint8Array): boolean {
  return body.length === CHUNK.length && body[0] === CHUNK[0];
}

export function isEchoRequest(data: unknown): data is EchoRequest {
  return typeof data === "object" && data !== null;
}

/** The chunks of an upload. */
export function* chunksOf({ uploads = 0 }: EchoRequest): Generator<Buffer> {
  for (let number = 0; number < uploads; number++) yield CHUNK;
}

/** Parses the JSON that a worker received. */
export function parseRequest(text: string): EchoRequest {
  const data: unknown = JSON.parse(text);
  if (!isEchoRequest(data)) throw new Error(`the request is not a JSON object: ${text.slice(0, 80)}`);
  return data;
}
