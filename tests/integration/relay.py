"""A relay before a server, a Redis mostly: it sees every write, and answers can be held back, come late or be cut in two."""
import socket
import threading
import time

# What weir asks Redis by itself now and then, on other connections.
BACKGROUND = (b"weir:{keys}", b"weir:{evicted}", b"weir:{replicas}")


class Relay:
    def __init__(self, port, greet=lambda s: None):
        self.to, self.greet = port, greet
        self.writes = []            # what came in one read, on its way to the server
        self.delay = lambda: 0      # of the next answer, in seconds
        self.flowing = threading.Event()    # answers are passed on
        self.flowing.set()
        self.cut = None             # a function of the bytes of an answer: how many of them are passed on before the connection goes
        self.open = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def of_requests(self):
        """The writes that requests of the key `web` made, and none of the process's own."""
        return [w for w in self.writes if b"weir:{" in w and (b"web" in w or not any(name in w for name in BACKGROUND))]

    def break_off(self):
        """All connections end; what is held back is never heard of."""
        while self.open:
            end(self.open.pop())

    def stop(self):
        end(self.listener)          # who waits in accept() wakes
        self.listener.close()
        self.break_off()
        self.flowing.set()

    def _accept(self):
        while True:
            try:
                here, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(here,), daemon=True).start()

    def _connect(self, here):
        try:
            self.greet(here)
            there = socket.create_connection(("127.0.0.1", self.to))
        except OSError:
            here.close()
            return
        self.open += [here, there]
        for s in (here, there):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self._pass, args=(there, here, self._answer), daemon=True).start()
        self._pass(here, there, self._write)

    def _write(self, target, data):
        self.writes.append(data)
        target.sendall(data)
        return True

    def _answer(self, target, data):
        self.flowing.wait(20)
        time.sleep(self.delay())
        n = self.cut(data) if self.cut else None
        target.sendall(data[:n])
        return n is None

    @staticmethod
    def _pass(source, target, say):
        try:
            while (data := source.recv(1 << 20)) and say(target, data):
                pass
        except OSError:
            pass
        end(source)
        end(target)


def end(s):
    try:
        s.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
