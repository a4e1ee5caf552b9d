"""RFC 6455 on the real program, by raw bytes: each case names the section that it is taken from, and each is sent three times:
in one piece, a byte at a time, and cut in the middle of everything. The same against a relay, whose framing is the same code.

A case ends in one of three ways: the server answers (ALIVE: a ping behind it is answered), closes with a code, or
refuses the handshake with a status. Section 5.4 onwards is told to readers of the feed, whose messages the server drops.
"""

import base64
import contextlib
import hashlib
import os
import socket
import struct
import sys
import time

sys.path.insert(0, __file__.rsplit("/", 1)[0])
from harness import Relay, Server, check, finish, make_catalog, say, temp_folder, token, write_json
from ws_client import BINARY, CLOSE, PING, PONG, TEXT, Refused, WebSocket, close_payload, frame, masked

LIVE = "/shows/load-00000/live"
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION = 0
ALIVE = None
MESSAGE_MAX = 16 * 1024


def raw_frame(first, second, rest=b""):
    return bytes([first, second]) + rest


def fragments(payload, *cuts, opcode=TEXT):
    """A message in frames that end at the cuts."""
    ends = [*cuts, len(payload)]
    begins = [0, *cuts]
    return b"".join(frame(payload[begin:end], opcode if at == 0 else CONTINUATION, fin=end == ends[-1] and at == len(ends) - 1)
                    for at, (begin, end) in enumerate(zip(begins, ends)))


# ---- the cases: section, what, bytes, outcome ----

MASKS = [
    ("5.1", "a frame without a mask", frame(b"hello", mask=False), 1002),
    ("5.1", "an empty frame without a mask", frame(b"", mask=False), 1002),
    ("5.1", "a ping without a mask", frame(b"", PING, mask=False), 1002),
    ("5.1", "a close without a mask", frame(close_payload(1000), CLOSE, mask=False), 1002),
    ("5.3", "a mask of zeros", raw_frame(0x81, 0x85, b"\0\0\0\0hello"), ALIVE),
    ("5.3", "a mask of ones", raw_frame(0x81, 0x85, b"\xff\xff\xff\xff" + bytes(byte ^ 0xFF for byte in b"hello")), ALIVE),
    ("5.3", "a mask that makes UTF-8 of what is none", raw_frame(0x81, 0x84, b"\xff\xff\xff\xff" + bytes(byte ^ 0xFF for byte in b"abcd")), ALIVE),
]

BASE = [
    *[("5.2", f"RSV bits {rsv:#x} without an extension", frame(b"x", rsv=rsv), 1002) for rsv in (0x40, 0x20, 0x10, 0x70)],
    ("5.2", "RSV1 on a ping", frame(b"", PING, rsv=0x40), 1002),
    ("5.2", "RSV1 on a continuation", frame(b"a", fin=False) + frame(b"b", CONTINUATION, rsv=0x40), 1002),
    *[("5.2", f"opcode {opcode}, reserved", frame(b"", opcode), 1002) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)],
    ("5.2", "7 bits of length: 0", frame(b""), ALIVE),
    ("5.2", "7 bits of length: 125", frame(b"a" * 125), ALIVE),
    ("5.2", "16 bits of length: 126", frame(b"a" * 126), ALIVE),
    ("5.2", "16 bits of length: 127", frame(b"a" * 127), ALIVE),
    ("5.2", "16 bits of length where 7 do", frame(b"a" * 125, length_bytes=2), 1002),
    ("5.2", "16 bits of length: none", frame(b"", length_bytes=2), 1002),
    ("5.2", "64 bits of length where 16 do", frame(b"a" * 200, length_bytes=8), 1002),
    ("5.2", "64 bits of length: 65,535", raw_frame(0x82, 0xFF, struct.pack(">Q", 65_535) + b"\0\0\0\0"), 1002),
    ("5.2", "64 bits of length with the highest set", raw_frame(0x82, 0xFF, struct.pack(">Q", 1 << 63) + b"\0\0\0\0"), 1002),
    ("5.2", "64 bits of length, all set", raw_frame(0x82, 0xFF, b"\xff" * 8 + b"\0\0\0\0"), 1002),
]

FRAGMENTS = [
    ("5.4", "two fragments", fragments(b"Hello", 3), ALIVE),
    ("5.4", "a fragment per byte", fragments(b"Hello", 1, 2, 3, 4), ALIVE),
    ("5.4", "empty fragments", frame(b"", fin=False) + frame(b"", CONTINUATION, fin=False) + frame(b"", CONTINUATION), ALIVE),
    ("5.4", "an empty last fragment", frame(b"Hello", fin=False) + frame(b"", CONTINUATION), ALIVE),
    ("5.4", "binary fragments", fragments(bytes(range(256)), 100, 200, opcode=BINARY), ALIVE),
    ("5.4", "control frames between fragments", frame(b"He", fin=False) + frame(b"", PONG) + frame(b"y", CONTINUATION, fin=False) + frame(b"", PONG) +
     frame(b"!", CONTINUATION), ALIVE),
    ("5.4", "a continuation of nothing", frame(b"x", CONTINUATION), 1002),
    ("5.4", "a first continuation that is not the last", frame(b"x", CONTINUATION, fin=False), 1002),
    ("5.4", "a continuation behind a whole message", frame(b"x") + frame(b"y", CONTINUATION), 1002),
    ("5.4", "a continuation behind the last fragment", fragments(b"ab", 1) + frame(b"c", CONTINUATION), 1002),
    ("5.4", "text within a message", frame(b"a", fin=False) + frame(b"b"), 1002),
    ("5.4", "binary within a message of text", frame(b"a", fin=False) + frame(b"b", BINARY), 1002),
    ("5.4", "a fragment of text within one of binary", frame(b"a", BINARY, fin=False) + frame(b"b", fin=False), 1002),
    ("5.4", "a close between fragments", frame(b"a", fin=False) + frame(close_payload(1000), CLOSE), 1000),
]

CONTROL = [
    ("5.5", "a ping in fragments", frame(b"x", PING, fin=False), 1002),
    ("5.5", "a pong in fragments", frame(b"x", PONG, fin=False), 1002),
    ("5.5", "a close in fragments", frame(close_payload(1000), CLOSE, fin=False), 1002),
    ("5.5", "a ping of 126 bytes", frame(b"x" * 126, PING), 1002),
    ("5.5", "a pong of 126 bytes", frame(b"x" * 126, PONG), 1002),
    ("5.5", "a close of 126 bytes", frame(close_payload(1000, b"x" * 124), CLOSE), 1002),
    ("5.5", "a ping whose length takes 64 bits", raw_frame(0x89, 0xFF, struct.pack(">Q", 70_000) + b"\0\0\0\0"), 1002),
    ("5.5.3", "a pong that nobody asked for", frame(b"hello", PONG), ALIVE),
    ("5.5.3", "an empty pong", frame(b"", PONG), ALIVE),
    ("5.5.3", "a pong of 125 bytes", frame(b"x" * 125, PONG), ALIVE),
]

CLOSES = [
    ("5.5.1", "a close without a payload", frame(b"", CLOSE), 1005),
    ("5.5.1", "a close of one byte", frame(b"\x03", CLOSE), 1002),
    ("5.5.1", "a close with a reason", frame(close_payload(1000, b"bye"), CLOSE), 1000),
    ("5.5.1", "a close with the longest reason", frame(close_payload(1000, b"x" * 123), CLOSE), 1000),
    ("5.5.1", "a reason in UTF-8", frame(close_payload(1000, "Auf Wiederhören κόσμε".encode()), CLOSE), 1000),
    ("5.5.1", "a reason that is not UTF-8", frame(close_payload(1000, b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"), CLOSE), 1007),
    ("5.5.1", "a reason that ends in half a character", frame(close_payload(1000, b"\xe2\x82"), CLOSE), 1007),
    ("5.5.1", "anything behind a close", frame(close_payload(1000), CLOSE) + frame(b"x", 3), 1000),
    *[("7.4.1", f"a close with {code}", frame(close_payload(code), CLOSE), code) for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011)],
    *[("7.4.2", f"a close with {code}", frame(close_payload(code), CLOSE), code) for code in (1012, 1013, 1014, 3000, 3999, 4000, 4999)],
    *[("7.4", f"a close with {code}, which must not be sent", frame(close_payload(code), CLOSE), 1002)
      for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535)],
]

# Section 8.1 asks for RFC 3629: the first and last of each length, and what must not be: overlong forms, surrogates, beyond U+10FFFF.
GOOD_TEXT = [b"\x00", b"\x7f", b"\xc2\x80", b"\xdf\xbf", b"\xe0\xa0\x80", b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xef\xbf\xbf",
             b"\xf0\x90\x80\x80", b"\xf4\x8f\xbf\xbf", "Hello-µ@ßöäüàá-UTF-8!!".encode(), "κόσμε 😀".encode()]
BAD_TEXT = [(b"\x80", "a byte that continues nothing"), (b"\xbf", "another"), (b"\xc0\xaf", "overlong '/', 2 bytes"), (b"\xc1\xbf", "overlong U+7F"),
            (b"\xe0\x80\xaf", "overlong '/', 3 bytes"), (b"\xe0\x9f\xbf", "overlong U+7FF"), (b"\xf0\x80\x80\xaf", "overlong '/', 4 bytes"),
            (b"\xf0\x8f\xbf\xbf", "overlong U+FFFF"), (b"\xed\xa0\x80", "U+D800"), (b"\xed\xbf\xbf", "U+DFFF"), (b"\xed\xa0\xbd\xed\xb8\x80", "CESU-8"),
            (b"\xf4\x90\x80\x80", "U+110000"), (b"\xf5\x80\x80\x80", "a fifth plane of leads"), (b"\xf8\x88\x80\x80\x80", "5 bytes"),
            (b"\xfc\x84\x80\x80\x80\x80", "6 bytes"), (b"\xfe", "0xFE"), (b"\xff", "0xFF"), (b"\xc3\x28", "a lead without its continuation"),
            (b"\xe2\x28\xa1", "a second byte that is none"), (b"\xe2\x82\x28", "a third byte that is none"), (b"\xf0\x90\x80\x28", "a fourth byte that is none")]
UTF8 = [
    *[("8.1", f"text {text.hex()}", frame(text), ALIVE) for text in GOOD_TEXT],
    *[("8.1", f"text {text.hex()} a byte per fragment", fragments(text, *range(1, len(text))), ALIVE) for text in GOOD_TEXT if len(text) > 1],
    *[("8.1", what, frame(b"ok " + text), 1007) for text, what in BAD_TEXT],
    *[("8.1", f"{what}, a byte per fragment", fragments(b"o" + text, *range(1, len(text) + 1)), 1007) for text, what in BAD_TEXT],
    *[("8.1", f"text that ends within a character of {len(text)} bytes", frame(text[:-1]), 1007) for text in (b"\xc2\x80", b"\xe2\x82\xac", b"\xf0\x9f\x98\x80")],
    ("8.1", "a message that is finished within a character, by an empty fragment", frame(b"\xe2\x82", fin=False) + frame(b"", CONTINUATION), 1007),
    ("8.1", "wrong text is found before its message ends", frame(b"\xff", fin=False), 1007),
    ("8.1", "binary need not be text", frame(b"\xff\xfe\x80", BINARY), ALIVE),
    ("8.1", "text behind binary starts afresh", frame(b"\xe2\x82", BINARY) + frame(b"\xac ", BINARY) + frame(b"ok"), ALIVE),
]

LIMITS = [
    ("10.4", "16 KiB", frame(b"a" * MESSAGE_MAX), ALIVE),
    ("10.4", "16 KiB in fragments", fragments(b"a" * MESSAGE_MAX, 5_000, 10_000), ALIVE),
    ("10.4", "16 KiB and a byte", frame(b"a" * (MESSAGE_MAX + 1)), 1009),
    ("10.4", "16 KiB and a byte in fragments", fragments(b"a" * (MESSAGE_MAX + 1), MESSAGE_MAX), 1009),
    ("10.4", "a head that announces 4 GiB", raw_frame(0x82, 0xFF, struct.pack(">Q", 1 << 32) + b"\0\0\0\0"), 1009),
    ("10.4", "16 KiB twice, each by itself", frame(b"a" * MESSAGE_MAX) * 2, ALIVE),
]


def pieces(data, how):
    if how == "whole":
        return [data]
    if how == "bytes" and len(data) <= 400:  # each is a packet
        return [data[at:at + 1] for at in range(len(data))]
    middle = len(data) // 2
    return [data[:1], data[1:middle], data[middle:]]


def run_case(port, section, what, data, outcome, how):
    web = WebSocket(port, LIVE)
    web.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with contextlib.suppress(OSError):  # it may close in the middle
        for piece in pieces(data, how):
            web.send(piece)
    name = f"{section} {what} ({how})"
    if outcome is ALIVE:
        probe = os.urandom(8)
        try:
            web.send(frame(probe, PING))
            answer = next_control(web)
            check(answer == (PONG, probe), f"{name}: must live on: {answer}")
        except (OSError, EOFError) as error:
            check(False, f"{name}: must live on: {error!r}, closed with {web.closed}")
    else:
        code = web.wait_closed()
        check(code == outcome, f"{name}: closed with {code}, must be {outcome}")
    web.close()


def next_control(web):
    """The next frame that is no message of the feed."""
    while True:
        opcode, payload = web.receive()
        if opcode not in (TEXT, BINARY):
            return opcode, payload


def pings(port):
    """5.5.2, 5.5.3: a pong carries what its ping did, at once, also between fragments; the latest may stand for many."""
    web = WebSocket(port, LIVE)
    for payload in (b"", b"x", b"\0\xff" * 60, os.urandom(125)):
        web.send(frame(payload, PING))
        check(next_control(web) == (PONG, payload), f"5.5.3 a pong carries what its ping did: {len(payload)} bytes")
    web.send(frame(b"He", fin=False) + frame(b"between", PING))
    check(next_control(web) == (PONG, b"between"), "5.4 a ping between fragments is answered before the message ends")
    web.send(frame(b"llo", CONTINUATION) + frame(b"after", PING))
    check(next_control(web) == (PONG, b"after"), "5.4 and the message goes on")
    web.send(b"".join(frame(str(number).encode(), PING) for number in range(10)))
    told = [int(next_control(web)[1])]
    while told[-1] != 9:
        told.append(int(next_control(web)[1]))
    check(told == sorted(told), f"5.5.3 pongs come in the order of their pings: {told}")
    web.send(frame(b"", PING) * 1_100)
    check(web.wait_closed() == 1008, f"7.4.1 more frames than anybody needs end with 1008 ({web.closed})")
    web.close()


def close_handshake(port):
    """5.5.1, 7.1: the code comes back, once; the server ends the stream; nothing comes behind its Close."""
    web = WebSocket(port, LIVE)
    web.send(frame(close_payload(1000, b"bye"), CLOSE))
    opcode, payload = next_control(web)
    check(opcode == CLOSE and payload[:2] == struct.pack(">H", 1000), f"5.5.1 a close is answered with a close: {opcode} {payload}")
    web.socket.settimeout(5)
    try:
        behind = web.receive()
        check(False, f"5.5.1 nothing comes behind a close: {behind}")
    except EOFError:
        check(not web.rest, "7.1.1 the server ends the stream first")
    web.close()
    web = WebSocket(port, LIVE)
    web.send(frame(b"x", 3))
    begun = time.monotonic()
    check(web.wait_closed() == 1002 and time.monotonic() - begun < 5, "7.1.7 a failed connection does not wait for the other side")
    web.close()


def handshake(port, lines):
    """Sends a head of these lines. Returns status, header fields, and the connection."""
    link = socket.create_connection(("127.0.0.1", port), timeout=10)
    link.sendall("\r\n".join([*lines, "", ""]).encode())
    data = b""
    while b"\r\n\r\n" not in data:
        part = link.recv(4_096)
        if not part:
            break
        data += part
    head = data.split(b"\r\n\r\n")[0].decode().split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
    return int(head[0].split(" ")[1]) if data else None, fields, link


def opening(port):
    """4.1, 4.2: what the client must send, what the server must answer."""
    key = base64.b64encode(os.urandom(16)).decode()
    good = {"Host": "127.0.0.1", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13"}

    def ask(request=f"GET {LIVE} HTTP/1.1", **changes):
        fields = {**good, **{name.replace("_", "-"): value for name, value in changes.items()}}
        status, answer, link = handshake(port, [request, *(f"{name}: {value}" for name, value in fields.items() if value is not None)])
        link.close()
        return status, answer

    status, answer = ask()
    accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode().lower()
    check(status == 101 and answer["upgrade"] == "websocket" and "upgrade" in answer["connection"], f"4.2.2 101 with its fields: {answer}")
    check(answer.get("sec-websocket-accept") == accept, "4.2.2 Sec-WebSocket-Accept")
    check("sec-websocket-protocol" not in answer and "sec-websocket-extensions" not in answer, "4.2.2 nothing that was not asked for")
    example, fields, link = handshake(port, [f"GET {LIVE} HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade",
                                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"])
    link.close()
    check(example == 101 and fields["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".lower(), "1.3 the example of the RFC")
    check(ask(Upgrade="WebSocket")[0] == 101, "4.2.1 Upgrade in any case")
    check(ask(Connection="keep-alive, upgrade")[0] == 101, "4.2.1 Connection is a list, in any case")
    check(ask(Sec_WebSocket_Extensions="permessage-deflate; client_max_window_bits")[1].get("sec-websocket-extensions") is None, "9.1 no extension is taken")
    check(ask(Sec_WebSocket_Protocol="chat, usher.json.v1")[1].get("sec-websocket-protocol") == "usher.json.v1", "4.2.2 a known subprotocol is named")
    check(ask(Sec_WebSocket_Protocol="usher.binary.v1, usher.json.v1")[1].get("sec-websocket-protocol") == "usher.binary.v1", "4.2.2 the client's order counts")
    status, answer = ask(Sec_WebSocket_Protocol="chat")
    check(status == 101 and "sec-websocket-protocol" not in answer, "4.2.2 an unknown subprotocol is not named")
    for what, changes, expected in (
            ("4.1 no key", {"Sec_WebSocket_Key": None}, 400), ("4.1 a key of 15 bytes", {"Sec_WebSocket_Key": base64.b64encode(b"x" * 15).decode()}, 400),
            ("4.1 a key of 17 bytes", {"Sec_WebSocket_Key": base64.b64encode(b"x" * 17).decode()}, 400),
            ("4.1 a key that is not base64", {"Sec_WebSocket_Key": "!" * 22 + "=="}, 400), ("4.4 no version", {"Sec_WebSocket_Version": None}, 426),
            ("4.4 version 12", {"Sec_WebSocket_Version": "12"}, 426), ("4.2.1 no Connection: Upgrade", {"Connection": "keep-alive"}, 400),
            ("4.2.1 no Upgrade", {"Upgrade": None}, 426), ("4.2.1 another Upgrade", {"Upgrade": "h2c"}, 426), ("4.2.1 no Host", {"Host": None}, 400),
            ("4.2.2 a foreign Origin", {"Origin": "https://evil.example"}, 403), ("4.2.2 its own Origin", {"Origin": "http://127.0.0.1"}, 101)):
        status, answer = ask(**changes)
        check(status == expected, f"{what}: {status}, must be {expected}")
        if expected == 426:
            check(answer.get("sec-websocket-version") == "13", f"{what}: 4.4 the version that would do is named")
    check(ask(f"GET {LIVE} HTTP/1.0")[0] == 400, "4.2.1 HTTP/1.0")
    check(ask(f"POST {LIVE} HTTP/1.1", Content_Length="0")[0] in (400, 405), "4.2.1 POST")
    check(ask("GET /shows/none/live HTTP/1.1")[0] == 404, "4.2.2 a resource that is not there")


def early_frames(port):
    """4.1: a client must wait for the 101, but bytes that come right behind its handshake are not lost either."""
    link = socket.create_connection(("127.0.0.1", port), timeout=10)
    head = [f"GET {LIVE} HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"]
    link.sendall("\r\n".join([*head, "", ""]).encode() + frame(b"early", PING))
    data = b""
    while b"\x8a\x05early" not in data:
        part = link.recv(65_536)
        if not part:
            break
        data += part
    check(data.startswith(b"HTTP/1.1 101 ") and b"\x8a\x05early" in data, "4.1 a ping in the packet of the handshake is answered")
    link.close()


def server_frames(server, port):
    """5.1, 5.2: what the server sends: no mask, no RSV bits, whole messages, lengths in their shortest form."""
    status, fields, link = handshake(port, [f"GET {LIVE} HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade",
                                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"])
    link.close()
    check(status == 101, "a reader comes")
    for protocol, opcode in ((None, TEXT), ("usher.json.v1", TEXT), ("usher.binary.v1", BINARY)):
        web = WebSocket(port, LIVE, protocol=protocol)
        lengths = []
        for turn in range(3):
            if turn:
                user = token(f"{protocol}-{turn}")
                made = server.request("POST", "/shows/load-00000/reserve", {"seat_ids": ["B1"]}, user)[2]
            web._need(2)
            first, second = web.rest[:2]
            check(first == 0x80 | opcode and second < 0x80, f"5.2 a whole message of opcode {opcode}, not masked: {first:#x} {second:#x}")
            _, payload = web.receive()
            least = {126: 126, 127: 65_536}.get(second, 0)
            check(len(payload) >= least, f"5.2 {len(payload)} bytes told with {second}")
            lengths.append(len(payload))
            if opcode == TEXT:
                payload.decode()  # 5.6: text is UTF-8, or this throws
            if turn:
                server.request("DELETE", f"/reservations/{made['reservation_id']}", bearer=user)
                web.receive()
        web.close()
        check(len(lengths) == 3, f"{protocol}: {lengths}")


def main():
    groups = {"masks": MASKS, "base framing": BASE, "fragments": FRAGMENTS, "control frames": CONTROL, "close": CLOSES, "UTF-8": UTF8, "limits": LIMITS}
    with temp_folder() as folder:
        catalog = write_json(f"{folder}/catalog.json", make_catalog(1))
        settings = {"feed.per_address_max": "1000", "policy.cooldown_after_refusals": "0"}
        with Server(folder, catalog, settings) as server, Relay(folder, server.port, settings) as relay:
            for process in (server, relay):
                say("the relay" if process is relay else "the server")
                for name, cases in groups.items():
                    say(f"{name}: {len(cases)} cases")
                    for section, what, data, outcome in cases:
                        for how in ("whole", "bytes", "cut") if process is server else ("whole",):
                            run_case(process.port, section, what, data, outcome, how)
                for part in (pings, close_handshake, opening):
                    say(part.__name__)
                    part(process.port)
                server_frames(server, process.port)
            early_frames(server.port)
            check(b"usher_http_exceptions_total 0" in server.request("GET", "/metrics", bearer=token("root", "admin"))[2], "nothing was thrown")
            check(relay.stop() == 0 and server.stop() == 0, "both end cleanly")
    finish()


if __name__ == "__main__":
    main()
