// The part of zmq 2.x that npm pigato 0.0.46 uses, over the compatibility layer of zeromq 6. It evens out where that
// layer differs from zmq 2.x; everything else is inherited. pnpm links this directory in as pigato's `zmq`, so
// `zeromq` is the one of packages/conformance.

const zeromq = require("zeromq/v5-compat");

class Socket extends zeromq.Socket {
  /** pigato reads `socket._zmq.state` to close a socket only once. */
  get _zmq() {
    return { state: this.closed ? zeromq.STATE_CLOSED : zeromq.STATE_READY };
  }

  get identity() {
    return this.getsockopt("identity");
  }

  // zeromq 6 has no routing id on PUB and SUB and throws; zmq 2.x accepted one, which no peer ever sees.
  set identity(identity) {
    if (this.type !== "pub" && this.type !== "sub") this.setsockopt("identity", Buffer.from(identity));
  }

  // zmq 2.x sent every frame that is no Buffer as its text: `undefined` and `null` travel as words, numbers as digits.
  send(message, flags, callback) {
    const frames = Array.isArray(message) ? message : [message];
    return super.send(
      frames.map((frame) => (Buffer.isBuffer(frame) ? frame : String(frame))),
      flags,
      callback,
    );
  }

  // While an asynchronous bind or unbind runs, receive and send fail with EBUSY and the compatibility layer retries
  // them without ever yielding; its pending receive would also touch the socket from a second thread. Done
  // synchronously, there is no such while.
  bind(address, callback) {
    return this.#settle(() => this.bindSync(address), callback);
  }

  // `unbindSync` of zeromq 6 binds instead. libzmq ends both kinds of endpoint with one function, so disconnecting from
  // the address of a bind is unbinding it.
  unbind(address, callback) {
    return this.#settle(() => this.disconnect(address), callback);
  }

  // The compatibility layer hands messages over on a later tick and reports sends that a close cut short. zmq 2.x was
  // silent after `close()`, and pigato takes a message for one of its next session.
  emit(event, ...values) {
    if (this.closed && (event === "message" || event === "error")) return false;
    return super.emit(event, ...values);
  }

  #settle(operation, callback = () => {}) {
    let failure;
    try {
      operation();
    } catch (error) {
      failure = error;
    }
    process.nextTick(callback, failure);
    return this;
  }
}

module.exports = { ...zeromq, Socket, socket: (type) => new Socket(type), createSocket: (type) => new Socket(type) };
