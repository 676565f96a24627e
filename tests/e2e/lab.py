# SPDX-License-Identifier: MIT
"""What the end-to-end tests share: real servers, the real program, and comparing the two.

Only the standard library. A server that cannot be had ends the test with exit code 77 (skipped) and
its reason. Everything started here is stopped here, by pid.
"""
import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SERVER = os.path.join(ROOT, "tools", "servers", "server.sh")
SKIPPED = 77


def millrace_program():
    program = os.environ.get("MILLRACE_BIN", "")
    if not os.access(program, os.X_OK):
        sys.exit("MILLRACE_BIN does not name the program (%r)" % program)
    return program


def skip(reason):
    print("SKIP: " + reason)
    sys.exit(SKIPPED)


class Server:
    """A throw-away database server of tools/servers."""

    def __init__(self, kind, name, *options, fsync=False):
        self.kind, self.name = kind, name
        self.wipe()
        command = [SERVER, "start", kind, "--name", name, "--fsync", "on" if fsync else "off"]
        if options:
            command += ["--", *options]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode == SKIPPED:
            skip("%s: %s" % (kind, done.stderr.strip()))
        if done.returncode != 0:
            sys.exit("%s does not start: %s" % (kind, done.stderr))
        self.env = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
        self.port = int(self.env["PORT"])
        atexit.register(self.wipe)

    def wipe(self):
        subprocess.run([SERVER, "wipe", self.kind, "--name", self.name], capture_output=True)

    def stop(self):
        subprocess.run([SERVER, "stop", self.kind, "--name", self.name], check=True,
                       capture_output=True)

    def start_again(self, *options):
        command = [SERVER, "start", self.kind, "--name", self.name]
        done = subprocess.run(command + (["--", *options] if options else []), check=True,
                              capture_output=True, text=True)
        self.env = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)

    def client(self, *options):
        """The command line of its own client, as root; SQL on stdin, tab separated answers."""
        return [SERVER, "sql", self.kind, "--name", self.name, "--", *options]

    def sql(self, text, *options):
        done = subprocess.run(self.client(*options), input=text, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError("%s: %s\n%s" % (self.kind, done.stderr.strip(), text[:400]))
        return [line.split("\t") for line in done.stdout.splitlines()]


def start_all(starts):
    """Starts servers side by side (what a start costs is waiting); one that fails ends the test."""
    ends = []

    def run(start, arguments):
        try:
            start(*arguments)
        except SystemExit as end:
            ends.append(end.code)

    threads = [threading.Thread(target=run, args=one) for one in starts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if ends:
        sys.exit(next((end for end in ends if end != SKIPPED), SKIPPED))


class Pipeline:
    """One millrace process with a configuration and a data directory of its own."""

    def __init__(self, config, environment=None):
        self.dir = tempfile.mkdtemp(prefix="millrace-e2e-")
        self.data = os.path.join(self.dir, "data")
        self.config = os.path.join(self.dir, "pipeline.yaml")
        self.port = free_port()
        self.url = "http://127.0.0.1:%d" % self.port
        self.environment = dict(os.environ, **(environment or {}))
        self.process = None
        self.log = os.path.join(self.dir, "millrace.log")
        self.write(config)
        atexit.register(self.remove)

    def write(self, config):
        with open(self.config, "w") as file:
            file.write(config.replace("@DATA@", self.data).replace("@PORT@", str(self.port)))

    def start(self, crash_point=None):
        environment = dict(self.environment)
        environment.pop("MILLRACE_CRASH_POINT", None)
        if crash_point:
            environment["MILLRACE_CRASH_POINT"] = crash_point
        with open(self.log, "a") as log:
            self.process = subprocess.Popen([millrace_program(), "run", "-c", self.config],
                                            stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            env=environment)

    def run(self, *arguments, timeout=60):
        """Another command of the program: (exit code, stdout, stderr)."""
        done = subprocess.run([millrace_program(), *arguments], capture_output=True, text=True,
                              timeout=timeout, env=self.environment)
        return done.returncode, done.stdout, done.stderr

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def wait_end(self, seconds=60):
        """The exit code; negative: the signal that ended it."""
        return self.process.wait(timeout=seconds)

    def stop(self, seconds=60):
        if self.is_running():
            self.process.send_signal(signal.SIGTERM)
        return self.wait_end(seconds)

    def kill(self):
        if self.is_running():
            self.process.kill()
            self.process.wait()

    def remove(self):
        self.kill()
        if os.environ.get("MILLRACE_KEEP") is None:
            shutil.rmtree(self.dir, ignore_errors=True)

    def log_tail(self, lines=20):
        with open(self.log) as file:
            return "".join(file.readlines()[-lines:])

    def get(self, path, timeout=10):
        try:
            with urllib.request.urlopen(self.url + path, timeout=timeout) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def status(self):
        return json.loads(self.get("/api/v1/status")[1])

    def query(self, sql, timeout=60, limit=10000):
        body = json.dumps({"sql": sql, "limit": limit}).encode()
        request = urllib.request.Request(self.url + "/api/v1/query", body,
                                         {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return json.loads(answer.read())["rows"]
        except urllib.error.HTTPError as error:
            raise RuntimeError("%d: %s" % (error.code, error.read().decode()))

    def wait_ready(self, seconds=120):
        self.wait_for(lambda: self.get("/readyz")[0] == 200, "readyz", seconds)

    def wait_for(self, condition, what, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self.is_running():
                raise RuntimeError("millrace ended (%s) while waiting for %s:\n%s" %
                                   (self.process.poll(), what, self.log_tail()))
            try:
                if condition():
                    return
            except (OSError, RuntimeError, ValueError, KeyError):
                pass
            time.sleep(0.05)
        raise RuntimeError("no %s after %d s:\n%s" % (what, seconds, self.log_tail()))


def free_port():
    import socket
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


CONFIG_HEAD = """version: 1
pipeline: e2e
data_dir: @DATA@
console:
  listen: 127.0.0.1:@PORT@
"""

SINK = """sinks:
  - name: warehouse
    type: duckdb
    path: @DATA@/warehouse.duckdb
"""


def mysql_source(server, name, tables, more=""):
    return """  - name: %s
    type: mysql
    url: mysql://%s@127.0.0.1:%d/
    password: %s
    tables: [%s]
%s""" % (name, server.env["ROOT_USER"], server.port, server.env["ROOT_PASSWORD"], tables, more)


def postgres_source(server, name, database, tables="public.*", more=""):
    return """  - name: %s
    type: postgres
    url: postgres://%s@127.0.0.1:%d/%s
    password: %s
    tables: [%s]
%s""" % (name, server.env["ROOT_USER"], server.port, database, server.env["ROOT_PASSWORD"], tables,
         more)


def config(*sources, more=""):
    return CONFIG_HEAD + more + "sources:\n" + "".join(sources) + SINK


def expect(condition, message):
    if not condition:
        sys.exit("FAIL: " + message)
