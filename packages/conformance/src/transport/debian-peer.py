"""A peer on the system's libzmq. Its arguments: its kind, an address and, for PLAIN, a username and a password. It reports on
standard output."""

import sys
import zmq
from zmq.auth.thread import ThreadAuthenticator
from zmq.utils.monitor import recv_monitor_message

kind, address, *plain = sys.argv[1:]
context = zmq.Context()


def say(text):
    print(text, flush=True)


def socket(socket_type):
    made = context.socket(socket_type)
    made.setsockopt(zmq.LINGER, 5000)
    if plain and socket_type in (zmq.ROUTER, zmq.PUB):
        made.plain_server = True
    elif plain:
        made.plain_username, made.plain_password = (word.encode() for word in plain)
    return made


def monitored(socket_type):
    """A socket with its monitor, for `report_failure`."""
    made = socket(socket_type)
    return made, made.get_monitor_socket()


def report_failure(monitor):
    """Reports the first handshake that fails."""
    failures = {
        zmq.EVENT_HANDSHAKE_FAILED_AUTH: "auth",
        zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: "protocol",
        zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: "closed",
    }
    while True:
        event = recv_monitor_message(monitor)
        if event["event"] in failures:
            return say(f"{failures[event['event']]} {event['value']}")


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


def subscriber(kind_of_socket):
    """Says what it got of what it asked for, until it is told to ask for something else, and to stop."""
    made = socket(kind_of_socket)
    made.connect(address)
    wish(made, b"number ", True)
    while True:
        frames = made.recv_multipart()
        say("|".join(frame.decode("latin-1") for frame in frames))
        if frames[0] == b"number letters":
            wish(made, b"number ", False)
            wish(made, b"letter \xff", True)
        if frames[0].endswith(b"stop"):
            break
    made.close()


def wish(made, prefix, is_wanted):
    if made.socket_type == zmq.XSUB:
        made.send((b"\1" if is_wanted else b"\0") + prefix)
    else:
        made.setsockopt(zmq.SUBSCRIBE if is_wanted else zmq.UNSUBSCRIBE, prefix)


def publisher():
    """Publishes what is written to its standard input, to whoever is there."""
    made = socket(zmq.PUB)
    made.bind(address)
    say(made.getsockopt(zmq.LAST_ENDPOINT).decode().rstrip("\0"))
    for line in sys.stdin:
        made.send_multipart([frame.encode("latin-1") for frame in line.rstrip("\n").split("|")])
        say("sent")
    made.close()


def verbose_publisher():
    """Says what is subscribed to, and publishes it as soon as it is."""
    made = socket(zmq.XPUB)
    made.setsockopt(zmq.XPUB_VERBOSE, 1)
    made.bind(address)
    say(made.getsockopt(zmq.LAST_ENDPOINT).decode().rstrip("\0"))
    while True:
        wish = made.recv()
        say(f"{wish[0]} {wish[1:].decode('latin-1')}")
        if wish[0] == 1:
            made.send_multipart([wish[1:] + b"!", b"x" * 100000])
        if wish[1:] == b"stop":
            break
    made.close()


def rejected(socket_type):
    """Reports how its handshake fails."""
    made, monitor = monitored(socket_type)
    made.connect(address)
    report_failure(monitor)
    made.disable_monitor()
    made.close(0)


authenticator = None
if plain and kind in ("router", "pub"):
    authenticator = ThreadAuthenticator(context)
    authenticator.start()
    authenticator.configure_plain(domain="*", passwords={plain[0]: plain[1]})

if kind == "dealer":
    dealer(100)
elif kind == "rejected":
    rejected(zmq.DEALER)
elif kind == "request":
    request()
elif kind == "router":
    router()
elif kind == "sub":
    subscriber(zmq.SUB)
elif kind == "xsub":
    subscriber(zmq.XSUB)
elif kind == "pub":
    publisher()
elif kind == "xpub":
    verbose_publisher()
if authenticator is not None:
    authenticator.stop()
context.term()
