// Who asks to be let in. The mechanisms are those of ZMTP: NULL shows nothing, PLAIN (RFC 24) a name and a password in clear,
// CURVE (RFC 25) proves that it has the secret key of the public one it shows.
//
// There is no routing id in it: libzmq tells its own there, not that of the peer, and nobody can be held to one.

export type Mechanism = "NULL" | "PLAIN" | "CURVE";

interface Place {
  /** The ZAP domain of the socket that it came to. */
  readonly domain: string;
  /**
   * Where it comes from, as libzmq has it: an IP address without a port, or for ipc `localhost:` with the user's, the group's
   * and the process's number.
   */
  readonly address: string;
}

/** A peer that asks to be let in, and what it shows for it. */
export type Applicant =
  | (Place & { readonly mechanism: "NULL" })
  | (Place & { readonly mechanism: "PLAIN"; readonly username: string; readonly password: string })
  | (Place & {
      readonly mechanism: "CURVE";
      /** Its own public key, as Z85 text. It has proved to hold the secret one. */
      readonly publicKey: string;
    });
