import { channelCompliance } from "./channel-compliance.ts";
import { linkCompliance } from "./link-compliance.ts";
import type { Abilities } from "./subject.ts";

const ALONE: Abilities = {
  reportPeers: true,
  reconnect: true,
  limitFrames: true,
  keepPeersOnUnbind: true,
  unreadAtClose: Number.POSITIVE_INFINITY,
};
/** The router determines the capabilities, with one exception: libzmq loses unread data of a closed local socket. */
const FROM_LIBZMQ: Abilities = { ...ALONE, reportPeers: false, keepPeersOnUnbind: false };
const UNREAD_OVER_IPC = { unreadAtClose: 100 };

linkCompliance({ router: "zmtp", dealer: "zmtp", kind: "tcp", can: ALONE });
linkCompliance({ router: "zmtp", dealer: "zmtp", kind: "ipc", can: ALONE });
linkCompliance({ router: "zmtp", dealer: "libzmq", kind: "tcp", can: ALONE });
linkCompliance({ router: "zmtp", dealer: "libzmq", kind: "ipc", can: { ...ALONE, ...UNREAD_OVER_IPC } });
linkCompliance({ router: "libzmq", dealer: "zmtp", kind: "tcp", can: FROM_LIBZMQ });
linkCompliance({ router: "libzmq", dealer: "zmtp", kind: "ipc", can: { ...FROM_LIBZMQ, ...UNREAD_OVER_IPC } });

for (const kind of ["tcp", "ipc"] as const) {
  channelCompliance({ publisher: "zmtp", subscriber: "zmtp", kind });
  channelCompliance({ publisher: "zmtp", subscriber: "libzmq", kind });
  channelCompliance({ publisher: "libzmq", subscriber: "zmtp", kind });
}
