"""Builds the Dockerfile for real, without a container engine: buildah's chroot isolation over a debootstrap base.

The base system is fetched once for a machine and kept in the user's cache; apt inside the build uses the mirror
and settings of the machine that runs the test. None of that enters the image's sources.
"""
import fcntl
import json
import os
import pathlib
import re
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "weir-image"
APT = pathlib.Path("/etc/apt")
SUDO = [] if os.geteuid() == 0 else ["sudo", "-n"]


def run(*command, **more):
    p = subprocess.run([*SUDO, *map(str, command)], capture_output=True, text=True, cwd=ROOT, **more)
    assert p.returncode == 0, (command, p.stdout[-3000:], p.stderr[-3000:])
    return p.stdout.strip()


def mirror():
    """Where this machine gets Debian from."""
    for f in [APT / "sources.list", *sorted((APT / "sources.list.d").glob("*"))]:
        if f.is_file():
            for line in f.read_text().splitlines():
                m = re.match(r"(?:URIs:|deb (?:\[.*\] )?)\s*(\S+/debian/?)(?:\s|$)", line)
                if m:
                    return m.group(1)
    raise AssertionError("no Debian mirror in /etc/apt")


def base_system():
    """A minimal Debian 12 tree."""
    tree = CACHE / "bookworm"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tree.exists():
            part = CACHE / "part"
            run("rm", "-rf", part)
            run("debootstrap", "--variant=minbase", "bookworm", part, mirror(), timeout=600)
            for f in (APT / "apt.conf.d").glob("*"):
                if "Acquire" in f.read_text():
                    run("cp", f, part / "etc/apt/apt.conf.d/")
            part.rename(tree)
    return tree


class Image:
    def __init__(self, work):
        self.work = work
        self.buildah = ["buildah", "--root", work / "storage", "--runroot", work / "run", "--storage-driver", "vfs"]
        c = self.do("from", "scratch")
        self.do("add", "-q", c, base_system(), "/")
        self.do("commit", "-q", c, "localhost/base")
        self.do("rm", c)
        self.do("bud", "--isolation", "chroot", "--format", "docker", "--build-arg", "BASE=localhost/base",
                "-t", "localhost/weir", ROOT, timeout=900)
        self.config = json.loads(self.do("inspect", "--type", "image", "localhost/weir"))["Docker"]["config"]
        self.container = self.do("from", "localhost/weir")
        self.tree = pathlib.Path(self.do("mount", self.container))

    def do(self, *arguments, **more):
        return run(*self.buildah, *arguments, **more)

    def holds(self, path):
        return subprocess.run([*SUDO, "test", "-e", self.tree / path]).returncode == 0

    def remove(self):
        self.do("umount", self.container)
        self.do("rm", "--all")
        run("rm", "-rf", self.work)

    def command(self, env, *arguments):
        """As an engine would start it: the image's user, environment and entry point, and its command by default."""
        said = [x for n, v in env.items() for x in ("--env", f"{n}={v}")]
        return [*SUDO, *self.buildah, "run", "--isolation", "chroot", *said, self.container, "--", *self.config["Entrypoint"],
                *(arguments or self.config["Cmd"])]


def descendants(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *descendants(child)]
    return found


def stop(process, name="weir", seconds=20):
    """The image's stop signal to its first process; returns what ended within the time."""
    for pid in descendants(process.pid):
        try:
            if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == name:
                subprocess.run([*SUDO, "kill", "-TERM", str(pid)])
        except FileNotFoundError:
            pass
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    if process.poll() is None:
        process.kill()
        process.wait()
    return process.returncode
