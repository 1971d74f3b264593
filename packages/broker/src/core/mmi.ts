// Management services, which the broker answers itself (RFC 8): `mmi.service` says whether a service has a worker. To clients of
// Majordomo, any other name after `mmi.` is not implemented; others may ask about the service of this name, as in butler.

import {
  decodePayload,
  type Frame,
  type ServiceName,
  serviceName,
  serviceNameFromText,
  writeText,
} from "@pigato/protocol";
import { MAX_NAME_BYTES, readBytes } from "@pigato/protocol/internal";

const PREFIX = "mmi.";
const SERVICE = "mmi.service";
/** The longest JSON string of a name, in which each byte is `\u0000`. */
const MAX_BODY_BYTES = 6 * MAX_NAME_BYTES + 2;

export function isMmi(name: ServiceName): boolean {
  return name.startsWith(PREFIX);
}

/** The service that a request asks about; `undefined` if the management service is not implemented. */
export function serviceAskedAbout(name: ServiceName, body: readonly Frame[], isRaw: boolean): ServiceName | undefined {
  if (name !== SERVICE) return undefined;
  const [frame] = body;
  if (frame === undefined) return undefined;
  // Too long for any service. Parsing a large body could take a minute.
  if (frame.length > MAX_BODY_BYTES) return serviceName(readBytes(frame.subarray(0, MAX_NAME_BYTES + 1)));
  if (isRaw) return serviceName(readBytes(frame));
  const asked = decodePayload(frame);
  return typeof asked === "string" ? serviceNameFromText(asked) : undefined;
}

/** D-MMI-6: the service that a request names as butler's clients do, behind `mmi.`. */
export function serviceInName(name: ServiceName): ServiceName | undefined {
  return name === SERVICE || name === PREFIX ? undefined : serviceName(name.slice(PREFIX.length));
}

/** The answer, three digits: as text to a raw dialect, as a JSON string to PIGATO. */
export function mmiAnswer(code: "200" | "400" | "404" | "501", isRaw: boolean): readonly Frame[] {
  return [writeText(isRaw ? code : `"${code}"`)];
}
