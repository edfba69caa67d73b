"""A Redis that is spoken to by way of this process, which sees every write and may cut an answer in two."""
import socket
import threading


class RedisProxy:
    def __init__(self, port):
        self.to = port
        self.writes = []        # what came in one read from weir
        self.cut = None         # a function of the bytes of an answer: how many of them are passed on before the connection goes
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def _accept(self):
        while True:
            try:
                here, _ = self.listener.accept()
            except OSError:
                return
            try:
                there = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                here.close()
                continue
            for s in (here, there):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._pass, args=(here, there, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(there, here, False), daemon=True).start()

    def _pass(self, source, target, from_weir):
        try:
            while data := source.recv(1 << 20):
                if from_weir:
                    self.writes.append(data)
                elif self.cut and (n := self.cut(data)) is not None:
                    target.sendall(data[:n])
                    break
                target.sendall(data)
        except OSError:
            pass
        for s in (source, target):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        self.listener.close()
