// What a dealer has to send: one outbox, and one write at a time, which waits until libzmq takes it. Messages wait here
// and not in libzmq while the other end is not there, where they are counted and can still be told as undelivered.

import type { Dealer } from "zeromq";
import type { DealerHandlers, Frames, LinkLimits } from "../link.ts";
import { Outbox } from "./outbox.ts";
import { surface } from "./surface.ts";

