"""A real redis-server of a test's own, and one with a replica and sentinels that watch over it."""
import signal
import socket
import subprocess
import time

from weir import free_port


class Redis:
    def __init__(self, directory, args=()):
        self.port = free_port()
        self.dir = directory
        self.args = args
        self.start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self):
        self.process = subprocess.Popen(["redis-server", *self.args, "--port", str(self.port), "--dir", str(self.dir), "--save", "", "--bind", "127.0.0.1"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise AssertionError("redis does not start")

    def call(self, *words):
        return subprocess.run(["redis-cli", "-p", str(self.port), *map(str, words)], capture_output=True, text=True, check=True).stdout.strip()

    def stop(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()


class Watched:
    """A master, a replica, and three sentinels that make the replica master within a second or two."""

    def __init__(self, directory):
        self.master = Redis(directory)
        self.replica = Redis(directory, ["--replicaof", "127.0.0.1", str(self.master.port)])
        self.sentinels = []
        for i in range(3):
            f = directory / f"sentinel{i}.conf"
            f.write_text(f"sentinel monitor main 127.0.0.1 {self.master.port} 2\nsentinel down-after-milliseconds main 500\n"
                         "sentinel failover-timeout main 3000\n")
            self.sentinels.append(Redis(directory, [str(f), "--sentinel"]))
        self.wait(lambda: "master_link_status:up" in self.replica.call("INFO", "replication"))
        self.wait(lambda: all("num-other-sentinels\n2\n" in s.call("SENTINEL", "master", "main") + "\n" and
                              "num-slaves\n1\n" in s.call("SENTINEL", "master", "main") for s in self.sentinels))

    @staticmethod
    def wait(holds, seconds=20):
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end
            time.sleep(0.05)

    @property
    def url(self):
        return "redis+sentinel://" + ",".join(f"127.0.0.1:{s.port}" for s in self.sentinels) + "/main"

    def stop(self):
        for r in (*self.sentinels, self.replica, self.master):
            r.stop()
