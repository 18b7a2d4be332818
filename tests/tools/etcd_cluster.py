"""A real etcd cluster on loopback, for tests and benchmarks. Its nodes end with whoever started them."""

from __future__ import annotations

import atexit
import base64
import contextlib
import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
import typing as t

from ansible_collections.distrogate.ci.tests.tools.ports import free_ports

_START_SECONDS = 60.0


def make_certificates(folder: str) -> dict[str, str]:
    """An authority, and a certificate of it for servers and clients on 127.0.0.1: their paths."""
    paths = {name: os.path.join(folder, f"{name}.pem") for name in ("ca", "ca_key", "cert", "key")}
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    new += ["-days", "2", "-batch"]
    authority = ["-keyout", paths["ca_key"], "-out", paths["ca"], "-subj", "/CN=authority of a test"]
    node = ["-keyout", paths["key"], "-out", paths["cert"], "-subj", "/O=node of a test"]
    signed = ["-CA", paths["ca"], "-CAkey", paths["ca_key"], "-addext", "basicConstraints=critical,CA:FALSE"]
    signed += ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "extendedKeyUsage=serverAuth,clientAuth"]
    for command in ([*new, *authority], [*new, *node, *signed]):
        subprocess.run(command, check=True, capture_output=True)
    return paths


class EtcdCluster:
    """Nodes 0 to ``size`` - 1. ``tls``: what make_certificates returned; clients need a certificate then."""

    def __init__(
        self, size: int = 3, tls: dict[str, str] | None = None, options: t.Sequence[str] = ()
    ) -> None:
        self.size = size
        self.tls = tls
        self.folder = tempfile.mkdtemp(prefix="etcd-cluster-")
        self._options = list(options)
        self._ports = free_ports(2 * size)
        self._nodes: dict[int, subprocess.Popen[bytes]] = {}
        atexit.register(self.stop)

    def __enter__(self) -> EtcdCluster:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def endpoints(self) -> list[str]:
        """host:port of each node, in order."""
        return [f"127.0.0.1:{port}" for port in self._ports[: self.size]]

    def url(self, namespace: str = "", *nodes: int, user: str = "", **options: str) -> str:
        """The address of a store on these nodes (or all)."""
        given = dict(options)
        if self.tls:
            given.update((name, self.tls[name]) for name in ("ca", "cert", "key"))
        hosts = ",".join(self.endpoints[node] for node in nodes or range(self.size))
        query = "&".join(f"{name}={value}" for name, value in given.items())
        return f"etcd://{user and user + '@'}{hosts}/{namespace}{query and '?' + query}"

    def start(self) -> None:
        for node in range(self.size):
            self.start_node(node)
        self.wait_healthy()

    def start_node(self, node: int) -> None:
        """Start a node, for the first time or again with its data."""
        scheme = "https" if self.tls else "http"
        client, peer = f"{scheme}://{self.endpoints[node]}", self._peer(node)
        command = ["setpriv", "--pdeathsig", "KILL", "etcd", "--name", f"n{node}"]
        command += ["--data-dir", os.path.join(self.folder, f"n{node}")]
        command += ["--listen-client-urls", client, "--advertise-client-urls", client]
        command += ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer]
        peers = ",".join(f"n{number}={self._peer(number)}" for number in range(self.size))
        command += ["--initial-cluster", peers, "--initial-cluster-token", os.path.basename(self.folder)]
        if self.tls:
            command += ["--cert-file", self.tls["cert"], "--key-file", self.tls["key"]]
            command += ["--trusted-ca-file", self.tls["ca"], "--client-cert-auth"]
        with open(os.path.join(self.folder, f"n{node}.log"), "ab") as log:
            self._nodes[node] = subprocess.Popen(
                [*command, *self._options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def stop(self) -> None:
        """End all nodes and remove their data."""
        for node in list(self._nodes):
            self.kill(node)
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.stop)

    def kill(self, node: int) -> None:
        process = self._nodes.pop(node, None)
        if process:
            process.kill()
            process.wait()

    def pause(self, node: int) -> None:
        """The node accepts connections still, and answers none: on return, the signal has come."""
        process = self._nodes[node]
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self, node: int) -> None:
        self._nodes[node].send_signal(signal.SIGCONT)

    def heal(self) -> None:
        """Start or resume whatever was killed or paused."""
        for node in range(self.size):
            if node in self._nodes:
                self.resume(node)
            else:
                self.start_node(node)
        self.wait_healthy()

    def leader(self) -> int:
        """The leading node, of those that run."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            for node in list(self._nodes):
                answer = self.post(node, "/v3/maintenance/status", {})
                member = answer.get("header", {}).get("member_id")
                if member and answer.get("leader") == member:
                    return node
            time.sleep(0.05)
        raise TimeoutError(f"no leader: {self.folder}")

    def wait_healthy(self) -> None:
        """Return when each running node answers what needs most of them."""
        deadline = time.monotonic() + _START_SECONDS
        for node in list(self._nodes):
            while True:
                answer = self.post(node, "/v3/kv/range", {"key": "YQ=="})
                # With logins switched on it wants one, after it has asked the others.
                if "error" not in answer or "user name is empty" in answer["error"]:
                    break
                if time.monotonic() > deadline:
                    raise TimeoutError(f"node {node} is not healthy: {answer}; see {self.folder}")
                time.sleep(0.05)

    def enable_logins(self, root: str, users: t.Mapping[str, tuple[str, str]]) -> None:
        """Switch on logins: ``root`` is root's password; each user has a password and a prefix of keys."""
        self._must("/v3/auth/user/add", {"name": "root", "password": root})
        self._must("/v3/auth/role/add", {"name": "root"})
        self._must("/v3/auth/user/grant", {"user": "root", "role": "root"})
        for user, (password, prefix) in users.items():
            self._must("/v3/auth/user/add", {"name": user, "password": password})
            self._must("/v3/auth/role/add", {"name": user})
            self._must("/v3/auth/user/grant", {"user": user, "role": user})
            low = prefix.encode()
            high = low[:-1] + bytes([low[-1] + 1])
            keys = {"key": _b64(low), "range_end": _b64(high), "permType": "READWRITE"}
            self._must("/v3/auth/role/grant", {"name": user, "perm": keys})
        self._must("/v3/auth/enable", {})

    def post(self, node: int, path: str, message: dict[str, t.Any], token: str = "") -> dict[str, t.Any]:
        """One call, straight to one node; what fails is an answer with ``error``."""
        host, port = self.endpoints[node].split(":")
        if self.tls:
            context = ssl.create_default_context(cafile=self.tls["ca"])
            context.load_cert_chain(self.tls["cert"], self.tls["key"])
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, int(port), timeout=2, context=context
            )
        else:
            connection = http.client.HTTPConnection(host, int(port), timeout=2)
        with contextlib.closing(connection):
            try:
                connection.request(
                    "POST", path, json.dumps(message), {"Authorization": token} if token else {}
                )
                answer: dict[str, t.Any] = json.loads(connection.getresponse().read())
            except (OSError, http.client.HTTPException, ValueError) as error:
                return {"error": repr(error)}
            return answer

    def _must(self, path: str, message: dict[str, t.Any]) -> None:
        answer = self.post(0, path, message)
        if "error" in answer:
            raise RuntimeError(f"{path}: {answer['error']}")

    def _peer(self, node: int) -> str:
        return f"http://127.0.0.1:{self._ports[self.size + node]}"


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
