// The settings of libzmq's sockets that both ends share, and why they are so.

/**
 * Messages that libzmq holds for one peer, in each direction, beyond what the kernel's buffers take. It counts messages
 * whatever their size, and nothing told to `send` says how many it holds: the smaller this is, the nearer do `slow` and
 * `congested` come to the truth, and the less a peer can make us hold that sends or takes large messages. Too small
 * costs throughput, because a full pipe is noticed by trying. 1000, libzmq's default, would be a gigabyte of 1 MiB
 * messages for each peer that does not read.
 */
const HIGH_WATER_MARK = 128;

/** Milliseconds that a process which exits without closing its links waits for their last messages. */
const EXIT_LINGER_MS = 1000;

type Numbers<Names extends string> = Readonly<Record<Names, number>>;

export const SHARED_OPTIONS: Numbers<"sendHighWaterMark" | "receiveHighWaterMark" | "linger"> = Object.freeze({
  sendHighWaterMark: HIGH_WATER_MARK,
  receiveHighWaterMark: HIGH_WATER_MARK,
  linger: EXIT_LINGER_MS,
});

/**
 * The dealer's end of a connection asks the other whether it is there (ZMTP PING) every two seconds, and counts it as
 * gone after six without any traffic; the router is told to do the same (TTL). libzmq's own thread does both, so that a
 * busy event loop does not look like a dead peer.
 *
 * A router does not ask: a peer that speaks ZMTP 3.0 does not answer and would be cut whenever it is quiet for long.
 */
export const DEALER_HEARTBEATS: Numbers<"heartbeatInterval" | "heartbeatTimeout" | "heartbeatTimeToLive"> =
  Object.freeze({
    heartbeatInterval: 2000,
    heartbeatTimeout: 6000,
    heartbeatTimeToLive: 6000,
  });

/** What notices the vanished hosts of peers that do not ask: seconds of silence, between tries, and tries. */
export const ROUTER_KEEPALIVE: Numbers<
  "tcpKeepalive" | "tcpKeepaliveIdle" | "tcpKeepaliveInterval" | "tcpKeepaliveCount"
> = Object.freeze({
  tcpKeepalive: 1,
  tcpKeepaliveIdle: 10,
  tcpKeepaliveInterval: 5,
  tcpKeepaliveCount: 3,
});
