// Maps the security of a link to the socket options of libzmq, by the names of the package `zeromq`.

import type { AuthRequest } from "../security/auth-request.ts";
import type { PeerSecurity, ServerSecurity } from "../security/link-security.ts";

export interface ListenerSecurityOptions {
  readonly curveServer?: boolean;
  readonly curveSecretKey?: string;
  readonly plainServer?: boolean;
  readonly zapDomain?: string;
  readonly zapEnforceDomain: boolean;
}

export interface PeerSecurityOptions {
  readonly curveServerKey?: string;
  readonly curvePublicKey?: string;
  readonly curveSecretKey?: string;
  readonly plainUsername?: string;
  readonly plainPassword?: string;
}

export function listenerSecurityOptions(security: ServerSecurity): ListenerSecurityOptions {
  const { mechanism, authentication } = security;
  const keyPair = security.keyPair();
  return {
    ...(keyPair && { curveServer: true, curveSecretKey: keyPair.secretKey }),
    ...(mechanism === "PLAIN" && { plainServer: true }),
    ...(authentication && { zapDomain: authentication.domain }),
    // Otherwise libzmq accepts every peer while no ZAP handler serves the domain.
    zapEnforceDomain: true,
  };
}

export function peerSecurityOptions(security: PeerSecurity): PeerSecurityOptions {
  const credentials = security.credentials();
  switch (credentials.mechanism) {
    case "CURVE": {
      const { serverKey, publicKey, secretKey } = credentials;
      return { curveServerKey: serverKey, curvePublicKey: publicKey, curveSecretKey: secretKey };
    }
    case "PLAIN":
      return { plainUsername: credentials.username, plainPassword: credentials.password };
    default:
      return credentials satisfies never;
  }
}

/** Bytes that CURVE adds to a frame: the name of a command, a nonce, the box's overhead and the frame's flags. */
const CURVE_FRAME_BYTES = 33;

/** The size on the wire of a frame of `frameBytes`, which libzmq's bound applies to. */
export function wireBytes(frameBytes: number, security: Pick<AuthRequest, "mechanism"> | undefined): number {
  return security?.mechanism === "CURVE" ? frameBytes + CURVE_FRAME_BYTES : frameBytes;
}
