// A peer's request to be authenticated, as a ZAP handler sees it (RFC 27). NULL has no credentials, PLAIN (RFC 24) has a
// username and a password in clear text, CURVE (RFC 25) proves that the peer owns the secret key of the public key it sends.
//
// A request has no routing id: libzmq reports the routing id of its own socket there, so a rule about it would mean nothing.

export type Mechanism = "NULL" | "PLAIN" | "CURVE";

interface Origin {
  /** The ZAP domain of the listener. */
  readonly domain: string;
  /**
   * The peer's IP address without a port. For ipc, libzmq reports `localhost:` with the ids of user, group and process; our own
   * ZMTP cannot read them and reports `localhost`.
   */
  readonly address: string;
}

/** What authenticates a peer, by mechanism. */
export type Credentials =
  | { readonly mechanism: "NULL" }
  | { readonly mechanism: "PLAIN"; readonly username: string; readonly password: string }
  | {
      readonly mechanism: "CURVE";
      /** The peer's public key as Z85 text. The handshake has proved that it owns the secret key. */
      readonly publicKey: string;
    };

/** A peer to authenticate: where it comes from, and its credentials. */
export type AuthRequest = Origin & Credentials;

/** How a listener authenticates peers. */
export interface Authentication {
  /** The ZAP domain: 1 to 255 bytes, unique within this process. */
  readonly domain: string;
  /** Whether the peer is authorized. Anything but `true` denies it. */
  readonly authenticate: (request: AuthRequest) => boolean | PromiseLike<boolean>;
  /** Milliseconds that it may take. Then the peer is rejected. */
  readonly timeoutMs: number;
}
