// Whether a peer offers a broker more than the classic wire. An offer is one more frame in a classic message. Old brokers ignore
// it, but code that must send exactly the frames of npm `pigato@0.0.46` to old brokers cannot send it to find out. Such code
// waits for the announcement that a broker makes in its ZMTP handshake, below all frames (P-NEG-5).

import { OFFER_WORD } from "@pigato/protocol/internal";

export type Negotiation =
  /** Always, or never. */
  | boolean
  /** If the broker announces that it answers offers. */
  | "announced";

/** @param announcement of the broker, in its handshake */
export function mayOffer(negotiate: Negotiation, announcement: string | undefined): boolean {
  switch (negotiate) {
    case true:
    case false:
      return negotiate;
    case "announced":
      return announcement === OFFER_WORD;
    default:
      return negotiate satisfies never;
  }
}
