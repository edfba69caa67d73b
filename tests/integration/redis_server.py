"""A real redis-server of a test's own; one with a replica and sentinels that watch over it; a cluster of six."""
import contextlib
import signal
import socket
import subprocess

from weir import free_port, until


@contextlib.contextmanager
def stopped_on_failure(it):
    """What did not get up leaves no process."""
    try:
        yield
    except BaseException:
        it.stop()
        raise


class Redis:
    def __init__(self, directory, args=(), port=None):
        self.port = port or free_port()
        self.dir = directory
        self.args = args
        self.start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self):
        self.process = subprocess.Popen(["redis-server", *self.args, "--port", str(self.port), "--dir", str(self.dir), "--save", "", "--bind", "127.0.0.1"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with stopped_on_failure(self):
            until(self.answers)

    def answers(self):
        assert self.process.poll() is None, "redis does not start"
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def call(self, *words):
        return subprocess.run(["redis-cli", "-p", str(self.port), *map(str, words)], capture_output=True, text=True, check=True).stdout.strip()

    def stop(self):
        self.process.send_signal(signal.SIGCONT)        # it may have been stopped
        self.process.kill()
        self.process.wait()


class Watched:
    """A master, a replica, and three sentinels that make the replica master within a second or two."""

    def __init__(self, directory):
        self.nodes, self.sentinels = [], []
        with stopped_on_failure(self):
            self.get_up(directory)

    def start(self, *args):
        self.nodes.insert(0, Redis(*args))
        return self.nodes[0]

    def get_up(self, directory):
        self.master = self.start(directory)
        self.replica = self.start(directory, ["--replicaof", "127.0.0.1", str(self.master.port)])
        for i in range(3):
            f = directory / f"sentinel{i}.conf"
            f.write_text(f"sentinel monitor main 127.0.0.1 {self.master.port} 2\nsentinel down-after-milliseconds main 500\n"
                         "sentinel failover-timeout main 3000\n")
            self.sentinels.append(self.start(directory, [str(f), "--sentinel"]))
        until(lambda: "master_link_status:up" in self.replica.call("INFO", "replication"))
        until(lambda: all("num-other-sentinels\n2\n" in s.call("SENTINEL", "master", "main") + "\n" and
                          "num-slaves\n1\n" in s.call("SENTINEL", "master", "main") for s in self.sentinels))

    @property
    def url(self):
        return "redis+sentinel://" + ",".join(f"127.0.0.1:{s.port}" for s in self.sentinels) + "/main"

    def stop(self):
        for n in self.nodes:
            n.stop()


class Cluster:
    """Three masters with a replica each."""

    def __init__(self, directory):
        self.nodes = []
        with stopped_on_failure(self):
            self.get_up(directory)

    def get_up(self, directory):
        for i in range(6):
            d = directory / f"node{i}"
            d.mkdir()
            self.nodes.append(Redis(d, ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port", str(free_port()),
                                        "--cluster-replica-validity-factor", "0"]))
        made = subprocess.run(["redis-cli", "--cluster", "create", *self.addresses(), "--cluster-replicas", "1", "--cluster-yes"],
                              capture_output=True, text=True)
        assert made.returncode == 0, made.stdout + made.stderr
        until(lambda: all("cluster_state:ok" in n.call("CLUSTER", "INFO") for n in self.nodes) and len(self.masters()) == 3 and
              all("master_link_status:up" in n.call("INFO", "replication") for n in self.nodes if n not in self.masters()))

    def addresses(self):
        return [f"127.0.0.1:{n.port}" for n in self.nodes]

    @property
    def url(self):
        return "redis+cluster://" + ",".join(self.addresses()[:2])

    def alive(self):
        return [n for n in self.nodes if n.process.poll() is None]

    def masters(self):
        return [n for n in self.alive() if "role:master" in n.call("INFO", "replication")]

    def keys(self, pattern):
        return [(n, k) for n in self.masters() for k in n.call("KEYS", pattern).splitlines()]

    @staticmethod
    def id(node):
        return node.call("CLUSTER", "MYID")

    def migrating(self, key):
        """The slot of a key begins to move: its master and the one it moves to."""
        source = next(n for n, k in self.keys("*") if k == key)
        target = next(n for n in self.masters() if n is not source)
        slot = source.call("CLUSTER", "KEYSLOT", key)
        target.call("CLUSTER", "SETSLOT", slot, "IMPORTING", self.id(source))
        source.call("CLUSTER", "SETSLOT", slot, "MIGRATING", self.id(target))
        return slot, source, target

    def migrate_keys(self, slot, source, target):
        while keys := source.call("CLUSTER", "GETKEYSINSLOT", slot, 100).splitlines():
            source.call("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)

    def migrated(self, slot, target):
        for n in (target, *self.masters()):
            n.call("CLUSTER", "SETSLOT", slot, "NODE", self.id(target))

    def stop(self):
        for n in self.nodes:
            n.stop()
