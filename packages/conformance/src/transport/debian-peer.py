"""A peer on the system's libzmq. Its arguments: what it is, and an address. What it says goes to standard output."""

import sys
import zmq

kind, address = sys.argv[1:3]
context = zmq.Context()


def say(text):
    print(text, flush=True)


def socket(socket_type):
    made = context.socket(socket_type)
    made.setsockopt(zmq.LINGER, 5000)
    return made


def dealer(count):
    """Sends messages, and compares what comes back."""
    made = socket(zmq.DEALER)
    made.setsockopt(zmq.IDENTITY, b"debian \xff")
    made.connect(address)
    messages = [[str(number).encode(), b"", b"x" * (number * 700)] for number in range(count)]
    for message in messages:
        made.send_multipart(message)
    answers = [made.recv_multipart() for _ in messages]
    say("the same" if answers == messages else "not the same")
    made.close()


def request():
    """A REQ socket: one question, one answer, without a routing id."""
    made = socket(zmq.REQ)
    made.connect(address)
    made.send(b"question")
    say(made.recv().decode())
    made.close()


def router():
    """Sends back what comes, until it is told to stop."""
    made = socket(zmq.ROUTER)
    made.setsockopt(zmq.ROUTER_MANDATORY, 1)
    made.bind(address)
    say(made.getsockopt(zmq.LAST_ENDPOINT).decode().rstrip("\0"))
    while True:
        frames = made.recv_multipart()
        made.send_multipart(frames)
        if frames[1] == b"stop":
            break
    made.close()


if kind == "dealer":
    dealer(100)
elif kind == "request":
    request()
elif kind == "router":
    router()
context.term()
