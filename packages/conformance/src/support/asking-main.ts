// A client as a process of its own, to be killed from outside: it makes one classic request and waits.
// Arguments: the broker's address, its routing id, and the frames of the request.

import { Dealer } from "zeromq";

const [address = "", routingId = "", ...frames] = process.argv.slice(2);
const socket = new Dealer({ routingId });
socket.connect(address);
await socket.send(frames);
for await (const _answer of socket);
