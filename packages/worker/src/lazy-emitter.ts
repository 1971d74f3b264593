// An EventEmitter that has nothing of its own until somebody listens: there is one for every request, and hardly any is
// listened to. Node's constructor makes each a table of listeners, for what is a tenth of a request's cost at the worker;
// its methods do without one, because classes older than `class` inherit them without calling it.

import { EventEmitter } from "node:events";

class Lazy {}
Object.setPrototypeOf(Lazy.prototype, EventEmitter.prototype);

export const LazyEmitter: new () => EventEmitter = Object.setPrototypeOf(Lazy, EventEmitter);
