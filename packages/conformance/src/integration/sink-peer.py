"""A peer of a sink on pyzmq, as butler's `Sink` and `Service.sink` are.

    sink-peer.py push ADDRESS    pushes each line that it reads
    sink-peer.py pull ADDRESS    listens, and prints each message
"""

import sys

import zmq

role, address = sys.argv[1:]
context = zmq.Context()
if role == "push":
    socket = context.socket(zmq.PUSH)
    socket.connect(address)
    for line in sys.stdin:
        socket.send(line.rstrip("\n").encode())
else:
    socket = context.socket(zmq.PULL)
    socket.bind(address)
    print("listening " + socket.getsockopt(zmq.LAST_ENDPOINT).decode().rstrip("\0"), flush=True)
    while True:
        print(socket.recv().decode(), flush=True)
