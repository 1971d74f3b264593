import { FrameMemo } from "../frame-memo.ts";
import { readBytes, type ServiceName, serviceName } from "../ids.ts";

/** The names of services in whichever dialect: each is asked for again and again. */
export const SERVICE_NAMES: FrameMemo<ServiceName> = new FrameMemo((frame) => serviceName(readBytes(frame)));
