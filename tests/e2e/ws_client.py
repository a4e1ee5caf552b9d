"""A WebSocket client of raw bytes, for tests that must send what no library would. Standard library only."""

import base64
import json
import os
import socket
import struct

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def masked(payload, mask=b"\x37\xfa\x21\x3d"):
    return mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def frame(payload=b"", opcode=TEXT, fin=True, rsv=0, mask=True, length_bytes=None):
    """One client's frame, right or wrong."""
    size = len(payload)
    if length_bytes is None:
        length_bytes = 0 if size < 126 else 2 if size <= 0xFFFF else 8
    short = {0: size, 2: 126, 8: 127}[length_bytes]
    head = bytes([(0x80 if fin else 0) | rsv | opcode, (0x80 if mask else 0) | short])
    head += {0: b"", 2: struct.pack(">H", size) if size <= 0xFFFF else b"", 8: struct.pack(">Q", size)}[length_bytes]
    return head + (masked(payload) if mask else payload)


def close_payload(code, reason=b""):
    return struct.pack(">H", code) + reason


class Refused(Exception):
    """The handshake was answered with something else than 101."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {body[:200]}")
        self.status = status
        self.body = body

    @property
    def code(self):
        return json.loads(self.body).get("code")


class WebSocket:
    """`receive()` yields (opcode, payload); `closed` is the code of the server's Close, once it has come."""

    def __init__(self, port, path, protocol=None, headers=None, timeout=20, source=None, receive_buffer=None):
        self.socket = socket.socket()
        self.socket.settimeout(timeout)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", port))
        fields = {"Host": f"127.0.0.1:{port}", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                  "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(), **(headers or {})}
        if protocol:
            fields["Sec-WebSocket-Protocol"] = protocol
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
        self.socket.sendall(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode())
        self.rest = b""
        self.closed = None
        self.ended = False
        head = self._read_until(b"\r\n\r\n")
        self.head = head.decode()
        self.status = int(self.head.split(" ", 2)[1])
        if self.status != 101:
            length = next((int(line.split(":")[1]) for line in self.head.split("\r\n") if line.lower().startswith("content-length")), 0)
            body = self._read(length)
            self.socket.close()
            raise Refused(self.status, body)

    def _fill(self):
        data = self.socket.recv(65_536)
        if not data:
            raise EOFError("the stream ended")
        self.rest += data

    def _need(self, size):
        while len(self.rest) < size:
            self._fill()

    def _read(self, size):
        self._need(size)
        data, self.rest = self.rest[:size], self.rest[size:]
        return data

    def _read_until(self, end):
        while end not in self.rest:
            self._fill()
        data, self.rest = self.rest.split(end, 1)
        return data + end

    def receive(self):
        """The next frame. Raises EOFError at the end of the stream, TimeoutError when nothing comes."""
        self._need(2)
        first, second = self.rest[:2]
        if first & 0x70 or second & 0x80:
            raise ValueError(f"a server's frame may not begin with {first:#x} {second:#x}")
        size, head = second & 0x7F, 2
        if size > 125:
            head = 4 if size == 126 else 10
            self._need(head)
            size = int.from_bytes(self.rest[2:head], "big")
        self._need(head + size)  # what has come stays until the frame is whole, so that a timeout loses nothing
        payload = self._read(head + size)[head:]
        opcode = first & 0x0F
        if opcode == CLOSE:
            self.closed = struct.unpack(">H", payload[:2])[0] if payload else 1005
        return opcode, payload

    def message(self):
        """The next data message, JSON read; pings are answered on the way."""
        while True:
            opcode, payload = self.receive()
            if opcode == PING:
                self.send(frame(payload, PONG))
            elif opcode == TEXT:
                return json.loads(payload)
            elif opcode == BINARY:
                return payload
            elif opcode == CLOSE:
                raise EOFError(f"closed with {self.closed}")

    def wait_closed(self):
        """Reads on until the stream ends. Returns the code of the server's Close, or None when it sent none."""
        try:
            while True:
                self.receive()
        except (EOFError, ConnectionError):
            self.ended = True
        return self.closed

    def send(self, data):
        self.socket.sendall(data)

    def close(self):
        self.socket.close()


class SeatMap:
    """What a client knows of a show, kept by the rules of the feed; raises when a message does not fit."""

    def __init__(self):
        self.lsn = None
        self.seats = {}
        self.status = None
        self.snapshots = self.deltas = 0

    def apply(self, message):
        if message["type"] == "snapshot":
            if message["prev_lsn"] is not None:
                raise ValueError("a snapshot builds on something")
            self.seats = dict(message["seats"])
            self.snapshots += 1
        else:
            if message["prev_lsn"] != self.lsn:
                raise ValueError(f"missed something: at {self.lsn}, got what builds on {message['prev_lsn']}")
            unknown = set(message["seats"]) - set(self.seats)
            if self.seats and unknown:
                raise ValueError(f"seats that are not there: {unknown}")
            self.seats.update(message["seats"])
            self.deltas += 1
        if self.lsn is not None and message["lsn"] < self.lsn:
            raise ValueError(f"back from {self.lsn} to {message['lsn']}")
        self.lsn = message["lsn"]
        self.status = message.get("status", self.status)
