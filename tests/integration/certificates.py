"""A small authority, made by openssl for one session of tests: certificates good, expired and revoked."""
import pathlib
import subprocess

CONFIG = """[ca]
default_ca = d
[d]
database = {d}/index.txt
serial = {d}/serial
new_certs_dir = {d}
default_md = sha256
policy = p
unique_subject = no
copy_extensions = none
default_crl_days = 30
[p]
commonName = supplied
[v3_ca]
basicConstraints = critical,CA:true
"""


class Authority:
    """Files `NAME.pem` and `NAME.key` in one folder; its own are ca.pem and ca.key."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        (self.folder / "index.txt").write_text("")
        (self.folder / "serial").write_text("1000\n")
        (self.folder / "ca.cnf").write_text(CONFIG.format(d=self.folder))
        self.run("req", "-x509", *self.key("ca"), "-days", "30", "-out", "ca.pem", "-subj", "/CN=ca", "-config", "ca.cnf",
                 "-extensions", "v3_ca")

    def run(self, *args):
        subprocess.run(["openssl", *args], cwd=self.folder, check=True, capture_output=True)

    def key(self, name):
        return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key"

    def ca(self, *args):
        self.run("ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", *args)

    def make(self, name, host, ip=True, dates=("20250101000000Z", "20980101000000Z")):
        (self.folder / "ext").write_text(f"subjectAltName=DNS:{host}{',IP:127.0.0.1' if ip else ''}\n")
        self.run("req", "-new", *self.key(name), "-out", f"{name}.csr", "-subj", f"/CN={host}", "-config", "ca.cnf")
        self.ca("-in", f"{name}.csr", "-out", f"{name}.pem", "-notext", "-startdate", dates[0], "-enddate", dates[1],
                "-extfile", "ext")

    def revoke(self, name):
        self.ca("-revoke", f"{name}.pem")

    def list_revoked(self):
        self.ca("-gencrl", "-out", "crl.pem")

    def __truediv__(self, name):
        return self.folder / name
