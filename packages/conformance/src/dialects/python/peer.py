"""A client or a worker of any dialect on pyzmq, for the tests of the broker.

Majordomo is written from RFC 7 and RFC 18, the rest from what the original peers send. Run as

    peer.py client DIALECT ADDRESS
    peer.py worker DIALECT ADDRESS SERVICE

A client reads lines `["service", "frame", ...]` and prints lines `["partial" | "final" | "error", "frame", ...]`. One of
butler prints two more frames for an exception that it raises: its class and its argument.
A worker prints each request as `["frame", ...]` and reads `["partial" | "final" | "error" | "reject", "frame", ...]`
for it, and prints `true`, or `false` if its dialect has no message for that. Frames are bytes, one character each.

PEER_SECURITY may hold socket options, as an object: `{"curve_serverkey": "...", ...}`, `{"plain_username": "...", ...}`.
"""

import builtins
import json
import os
import pickle
import sys
import time

import zmq

EXCEPTION = b"500:exception:"


def say(value):
    print(json.dumps(value), flush=True)


def text(frames):
    return [frame.decode("latin-1") for frame in frames]


def lines():
    for line in sys.stdin:
        yield [part.encode("latin-1") for part in json.loads(line)]


# Majordomo. A DEALER must write the empty frame of 0.1 itself; 0.2 has none.

MDP = {
    "mdp01": {
        "client": [b"", b"MDPC01"],
        "request": [],
        "reply": {None: "final"},
        "worker": [b"", b"MDPW01"],
        "ready": b"\x01",
        "work": b"\x02",
        "final": b"\x03",
    },
    "mdp02": {
        "client": [b"MDPC02"],
        "request": [b"\x01"],
        "reply": {b"\x02": "partial", b"\x03": "final"},
        "worker": [b"MDPW02"],
        "ready": b"\x01",
        "work": b"\x02",
        "partial": b"\x03",
        "final": b"\x04",
    },
}


class MdpClient:
    def __init__(self, version):
        self.wire = MDP[version]

    def request(self, number, service, body):
        return self.wire["client"] + self.wire["request"] + [service] + body

    def reply(self, frames):
        head = self.wire["client"]
        assert frames[: len(head)] == head, frames
        rest = frames[len(head) :]
        command = rest.pop(0) if self.wire["request"] else None
        return self.wire["reply"][command], rest[1:]


class MdpWorker:
    def __init__(self, version):
        self.wire = MDP[version]

    def greeting(self, service):
        return [self.wire["worker"] + [self.wire["ready"], service]]

    def request(self, frames):
        head = self.wire["worker"] + [self.wire["work"]]
        if frames[: len(head)] != head:
            return None
        address, empty, *body = frames[len(head) :]
        assert empty == b"" and body, frames
        return address, body

    def answer(self, kind, address, body):
        if kind not in self.wire:
            return None
        return self.wire["worker"] + [self.wire[kind], address, b""] + body


class PigatoClient:
    def request(self, number, service, body):
        return [b"C", b"2", service, b"py%d" % number] + body + [b'{"timeout":30000,"retry":1}']

    def reply(self, frames):
        tag, kind, empty, _id, status, data, *_options = frames
        assert tag == b"C" and empty == b"", frames
        if status != b"0":
            return "error", [data]
        return {b"3": "final", b"6": "partial"}[kind], [data]


class PigatoWorker:
    def greeting(self, service):
        return [[b"W", b"1", service], [b"W", b"4", b"", b'{"concurrency":1}']]

    def request(self, frames):
        if frames[:2] != [b"W", b"2"]:
            return None
        _tag, _type, address, _service, empty, request_id, data, *_options = frames
        assert empty == b"", frames
        return (address, request_id), [data]

    def answer(self, kind, to, body):
        address, request_id = to
        code = {"final": b"3", "error": b"3", "partial": b"6", "reject": b"7"}[kind]
        return [b"W", code, address, b"", request_id, b"-1" if kind == "error" else b"0"] + body + [b"{}"]


class OmdpClient(PigatoClient):
    def reply(self, frames):
        tag, kind, _id, *rest = frames
        assert tag == b"C" and len(rest) in (1, 2), frames
        if len(rest) == 1:
            return "error", rest
        return {b"3": "final", b"6": "partial"}[kind], rest[1:]


class OmdpWorker:
    def greeting(self, service):
        return [[b"W", b"1", service]]

    def request(self, frames):
        if frames[:2] != [b"W", b"2"]:
            return None
        _tag, _type, address, request_id, data = frames
        return (address, request_id), [data]

    def answer(self, kind, to, body):
        if kind == "reject":
            return None
        head = [b"W", b"6" if kind == "partial" else b"3", *to]
        return head + body if kind == "error" else head + [b"0"] + body


class ButlerClient:
    def request(self, number, service, body):
        expires = int((time.time() + 30) * 1000)
        return [b"", b"0.3.0:%d" % number, service, b"%d" % expires] + body

    def reply(self, frames):
        if len(frames) == 2:
            return "error", [frames[1]]
        empty, _id, response = frames
        assert empty == b"", frames
        if not response.startswith(EXCEPTION):
            return "final", [response]
        # As the original: only `object` and `traceback` are read.
        error = json.loads(response[len(EXCEPTION) :])
        try:
            exception = pickle.loads(error["object"].encode("ascii"))
            exception.traceback_messsage = error["traceback"]
            raise exception
        except Exception as raised:
            return "error", [response, type(raised).__name__.encode(), str(raised.args[0]).encode()]


class ButlerWorker:
    def greeting(self, service):
        return [[b"\x01", service]]

    def request(self, frames):
        if len(frames) != 6:
            return None
        address, empty, request_id, _service, _expires, data = frames
        assert empty == b"", frames
        return (address, request_id), [data]

    def answer(self, kind, to, body):
        address, request_id = to
        if kind == "error":
            error = json.loads(body[0])
            body = [EXCEPTION + json.dumps(error if isinstance(error, dict) else self.raised(error)).encode()]
        elif kind != "final":
            return None
        return [b"\x04", address, b"", request_id] + body

    @staticmethod
    def raised(error):
        """What the original sends for an exception: a text is raised as RuntimeError, ["KeyError", "text"] as KeyError."""
        name, message = ("RuntimeError", error) if isinstance(error, str) else error
        exception = getattr(builtins, name)(message)
        shown, trace = str(exception), "Traceback: peer.py"
        exception.args = (message + "\n\nOriginal " + trace,)
        return {
            "class": pickle.dumps(type(exception), 0).decode("latin-1"),
            "object": pickle.dumps(exception, 0).decode("latin-1"),
            "name": name,
            "message": shown,
            "traceback": trace,
            "traceback_list": [],
        }


CLIENTS = {
    "pigato": PigatoClient,
    "mdp01": lambda: MdpClient("mdp01"),
    "mdp02": lambda: MdpClient("mdp02"),
    "omdp": OmdpClient,
    "butler": ButlerClient,
}
WORKERS = {
    "pigato": PigatoWorker,
    "mdp01": lambda: MdpWorker("mdp01"),
    "mdp02": lambda: MdpWorker("mdp02"),
    "omdp": OmdpWorker,
    "butler": ButlerWorker,
}


def run_client(socket, wire):
    """Asks whatever it is told to at once, and hears whatever comes."""
    poller = zmq.Poller()
    poller.register(socket, zmq.POLLIN)
    poller.register(sys.stdin.fileno(), zmq.POLLIN)
    rest, number = b"", 0
    while True:
        ready = dict(poller.poll())
        if socket in ready:
            kind, reply = wire.reply(socket.recv_multipart())
            say([kind, *text(reply)])
        if sys.stdin.fileno() in ready:
            read = os.read(sys.stdin.fileno(), 65536)
            if not read:
                return
            *orders, rest = (rest + read).split(b"\n")
            for order in orders:
                service, *body = [part.encode("latin-1") for part in json.loads(order)]
                number += 1
                socket.send_multipart(wire.request(number, service, body))


def run_worker(socket, wire, service):
    for frames in wire.greeting(service):
        socket.send_multipart(frames)
    orders = lines()
    while True:
        request = wire.request(socket.recv_multipart())
        if request is None:
            continue
        to, body = request
        say(text(body))
        for kind, *answer in orders:
            kind = kind.decode()
            frames = wire.answer(kind, to, answer)
            if frames is not None:
                socket.send_multipart(frames)
            say(frames is not None)
            if frames is not None and kind != "partial":
                break
        else:
            return


def main(role, dialect, address, service=""):
    socket = zmq.Context().socket(zmq.DEALER)
    socket.linger = 0
    for name, value in json.loads(os.environ.get("PEER_SECURITY", "{}")).items():
        setattr(socket, name, value.encode())
    socket.connect(address)
    if role == "client":
        run_client(socket, CLIENTS[dialect]())
    else:
        run_worker(socket, WORKERS[dialect](), service.encode())


main(*sys.argv[1:])
