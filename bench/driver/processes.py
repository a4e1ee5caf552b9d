"""Servers that are not ours, as children: a free port for them, and waiting until they listen."""

import contextlib
import socket
import time


def free_port():
    """A port that nobody listens on at the moment, for programs that cannot choose one themselves."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process=None, within=30):
    """Waits until somebody listens; a process that ended meanwhile is an error."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), contextlib.closing(socket.create_connection(("127.0.0.1", port), 1)):
            return
        if process and process.poll() is not None:
            raise RuntimeError(f"{process.args[0]} ended with {process.returncode}")
        time.sleep(0.01)
    raise RuntimeError(f"nobody listens on {port}")
