// A mechanism that protects frames, to test the seam that CURVE needs: NULL, and afterwards every frame is sealed. A sealed frame
// has a counter, the flags and the content, each byte masked.

import type { FrameProtection, MechanismHandshake, SecurityMechanism } from "../mechanism/mechanism.ts";
import { NULL_LISTENER, NULL_PEER } from "../mechanism/null.ts";
import { protocolViolation } from "../wire.ts";

const MASK = 0x55;
const HEADER_BYTES = 2;

export function maskingProtection(): FrameProtection {
  let sent = 0;
  let received = 0;
  return {
    overheadBytes: HEADER_BYTES,
    seal: (flags, body) => {
      sent += 1;
      return mask(Buffer.concat([Uint8Array.of(sent & 0xff, flags), body]));
    },
    open: (body) => {
      const opened = mask(body);
      received += 1;
      if (body.length < HEADER_BYTES || opened[0] !== (received & 0xff)) {
        return protocolViolation("a frame that was not sealed, or out of order");
      }
      return { flags: opened[1] ?? 0, body: opened.subarray(HEADER_BYTES) };
    },
  };
}

export const MASKING_PEER: SecurityMechanism = masking(NULL_PEER);
export const MASKING_LISTENER: SecurityMechanism = masking(NULL_LISTENER);

function masking(mechanism: SecurityMechanism): SecurityMechanism {
  return {
    ...mechanism,
    newHandshake: (own): MechanismHandshake => {
      const handshake = mechanism.newHandshake(own);
      return {
        onGreeting: () => handshake.onGreeting(),
        onCommand: (name, data) => handshake.onCommand(name, data),
        onAuthorized: () => handshake.onAuthorized(),
        onAccepted: () => handshake.onAccepted(),
        protection: maskingProtection(),
      };
    },
  };
}

function mask(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => byte ^ MASK));
}
