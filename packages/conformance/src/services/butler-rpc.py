"""butler's RPC on pyzmq: a service with registered functions, and a client that calls functions.

    butler-rpc.py service ADDRESS NAME     registers `resize`, `fail` and `add`, and prints each call
    butler-rpc.py client ADDRESS NAME      reads lines `["function", [argument, ...], {"name": argument}]`, and prints
                                           `["value", text]` or `["error", class, text]`

As in the original, a service calls functions with `args` and `kwargs`, replies with what they return, with `404` for a function that it
lacks, and with a pickled exception. It loads no pickle but that of the broker.
"""

import json
import pickle
import sys
import time
import traceback

import zmq

EXCEPTION = "500:exception:"


def resize(name, size="10x10"):
    return "%s at %s" % (name, size)


def add(*numbers):
    return json.dumps(sum(numbers))


def fail(text):
    raise KeyError(text)


FUNCTIONS = {"resize": resize, "add": add, "fail": fail}


def call(request):
    method = request["method"]
    if method not in FUNCTIONS:
        return "404"
    try:
        return FUNCTIONS[method](*request["args"], **request["kwargs"])
    except Exception as error:
        shown, trace = str(error), traceback.format_exc()
        error.args = (str(error.args[0]) + "\n\nOriginal " + trace,)
        details = {
            "class": pickle.dumps(type(error), 0).decode("latin-1"),
            "object": pickle.dumps(error, 0).decode("latin-1"),
            "name": type(error).__name__,
            "message": shown,
            "traceback": trace,
            "traceback_list": [],
        }
        return EXCEPTION + json.dumps(details)


def run_service(socket, name):
    socket.send_multipart([b"\x01", name.encode()])
    while True:
        frames = socket.recv_multipart()
        if len(frames) != 6:
            continue
        client, empty, request_id, _service, _expires, body = frames
        request = json.loads(body)
        print(json.dumps([request["method"], request["args"], request["kwargs"]]), flush=True)
        socket.send_multipart([b"\x04", client, empty, request_id, call(request).encode()])


def run_client(socket, name):
    for number, line in enumerate(sys.stdin):
        method, args, kwargs = json.loads(line)
        body = json.dumps({"method": method, "args": args, "kwargs": kwargs}).encode()
        expires = b"%d" % int((time.time() + 30) * 1000)
        socket.send_multipart([b"", b"0.3.0:%d" % number, name.encode(), expires, body])
        response = socket.recv_multipart()[-1].decode()
        if response == "404":
            print(json.dumps(["error", "AttributeError", method]), flush=True)
            continue
        if not response.startswith(EXCEPTION):
            print(json.dumps(["value", response]), flush=True)
            continue
        raised = pickle.loads(json.loads(response[len(EXCEPTION) :])["object"].encode("ascii"))
        print(json.dumps(["error", type(raised).__name__, str(raised.args[0])]), flush=True)


role, address, name = sys.argv[1:]
socket = zmq.Context().socket(zmq.DEALER)
socket.linger = 0
socket.connect(address)
(run_service if role == "service" else run_client)(socket, name)
