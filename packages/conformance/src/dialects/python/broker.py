"""A Majordomo broker on pyzmq, written from RFC 7, RFC 18 and RFC 8, for the tests of our own client and worker. Run as

    broker.py mdp01 | mdp02 ADDRESS [LIVENESS]

LIVENESS is how many of its intervals, of 50 ms, a worker may be silent. Prints lines `["bound", address]`, then what it was sent: `["ready" | "heartbeat" | "request" | "disconnect", peer]`, and
`["expired", peer]` of a worker that it gave up.
"""

import json
import sys
import time
from collections import defaultdict, deque

import zmq

INTERVAL = 0.05
# Many, because test machines stand still at times.
PATIENCE = 60

VERSIONS = {
    "mdp01": {"head": [b""], "client": b"MDPC01", "worker": b"MDPW01", "final": 3, "heartbeat": 4, "disconnect": 5},
    "mdp02": {"head": [], "client": b"MDPC02", "worker": b"MDPW02", "final": 4, "heartbeat": 5, "disconnect": 6},
}
READY, REQUEST, PARTIAL = 1, 2, 3


class Worker:
    def __init__(self, peer, service):
        self.peer = peer
        self.service = service
        self.is_busy = False
        self.heard = time.monotonic()


class Broker:
    def __init__(self, version, address, liveness=PATIENCE):
        self.liveness = int(liveness)
        self.wire = VERSIONS[version]
        self.has_commands = version == "mdp02"
        self.socket = zmq.Context().socket(zmq.ROUTER)
        self.socket.linger = 0
        self.socket.bind(address)
        self.workers = {}
        self.queues = defaultdict(deque)
        say("bound", self.socket.last_endpoint.rstrip(b"\0"))

    def run(self):
        beat = time.monotonic() + INTERVAL
        while True:
            if self.socket.poll(max(0, beat - time.monotonic()) * 1000):
                peer, *frames = self.socket.recv_multipart()
                self.on_message(peer, frames)
            if time.monotonic() >= beat:
                self.beat()
                beat = time.monotonic() + INTERVAL

    def on_message(self, peer, frames):
        head = self.wire["head"]
        if frames[: len(head)] != head or len(frames) <= len(head):
            return
        header, *rest = frames[len(head) :]
        if header == self.wire["client"]:
            self.on_client(peer, rest)
        elif header == self.wire["worker"] and rest and len(rest[0]) == 1:
            self.on_worker(peer, rest[0][0], rest[1:])

    def on_client(self, peer, rest):
        if self.has_commands and rest.pop(0) != b"\x01" or len(rest) < 2:
            return
        service, *body = rest
        say("request", peer)
        if service.startswith(b"mmi."):
            served = {worker.service for worker in self.workers.values()}
            code = b"501" if service != b"mmi.service" else b"200" if body[0] in served else b"404"
            return self.to_client(peer, b"\x03", service, [code])
        self.queues[service].append((peer, body))
        self.dispatch(service)

    def on_worker(self, peer, command, rest):
        worker = self.workers.get(peer)
        if command == self.wire["disconnect"]:
            say("disconnect", peer)
            self.workers.pop(peer, None)
            return
        if (command == READY) == (worker is not None):
            self.workers.pop(peer, None)
            return self.to_worker(peer, self.wire["disconnect"])
        if command == READY:
            say("ready", peer)
            worker = self.workers[peer] = Worker(peer, rest[0])
            return self.dispatch(worker.service)
        worker.heard = time.monotonic()
        if command == self.wire["heartbeat"]:
            return say("heartbeat", peer)
        is_partial = self.has_commands and command == PARTIAL
        client, empty, *body = rest
        assert empty == b"" and body, rest
        self.to_client(client, b"\x02" if is_partial else b"\x03", worker.service, body)
        if not is_partial:
            worker.is_busy = False
            self.dispatch(worker.service)

    def dispatch(self, service):
        for worker in self.workers.values():
            if worker.service == service and not worker.is_busy and self.queues[service]:
                client, body = self.queues[service].popleft()
                worker.is_busy = True
                self.to_worker(worker.peer, REQUEST, client, b"", *body)

    def beat(self):
        for worker in list(self.workers.values()):
            # A worker of one thread is silent while it works.
            if worker.is_busy or time.monotonic() - worker.heard < self.liveness * INTERVAL:
                self.to_worker(worker.peer, self.wire["heartbeat"])
            else:
                say("expired", worker.peer)
                del self.workers[worker.peer]

    def to_client(self, peer, command, service, body):
        commands = [command] if self.has_commands else []
        self.socket.send_multipart([peer, *self.wire["head"], self.wire["client"], *commands, service, *body])

    def to_worker(self, peer, command, *rest):
        self.socket.send_multipart([peer, *self.wire["head"], self.wire["worker"], bytes([command]), *rest])


def say(what, peer):
    print(json.dumps([what, peer.decode("latin-1")]), flush=True)


Broker(*sys.argv[1:]).run()
