# SPDX-License-Identifier: MIT
"""A physical standby of a PostgreSQL server of tools/servers, made by a cold copy of its directory (a
copy needs no program that a small distribution of the server may lack)."""
import os
import shutil
import signal
import subprocess
import tempfile
import time

import lab

ADDRESS = "127.0.0.1"


class Standby:
    def __init__(self, server, database, *settings):
        """The server is stopped for the copy and started again."""
        self.env = server.env
        program = os.readlink("/proc/%s/exe" % server.env["PID"])
        data = os.path.join(server.env["DIR"], "data")
        self.data = os.path.join(server.env["DIR"], "standby")
        self.port = lab.free_port()
        server.stop()
        shutil.rmtree(self.data, ignore_errors=True)
        # A base backup brings no slots either.
        shutil.copytree(data, self.data, ignore=lambda folder, names: names if folder.endswith("pg_replslot") else [])
        owner = os.stat(data)
        for folder, _, files in os.walk(self.data):
            for path in [folder] + [os.path.join(folder, name) for name in files]:
                os.chown(path, owner.st_uid, owner.st_gid)
        os.chmod(self.data, 0o700)
        self.write("standby.signal", "")
        self.write("postgresql.auto.conf",
                   "primary_conninfo = 'host=%s port=%d user=postgres password=%s dbname=%s'\n" %
                   (ADDRESS, server.port, server.env["ROOT_PASSWORD"], database) +
                   "".join(line + "\n" for line in settings))
        for path in ("standby.signal", "postgresql.auto.conf"):
            os.chown(os.path.join(self.data, path), owner.st_uid, owner.st_gid)
        server.start_again()
        self.log = open(os.path.join(tempfile.gettempdir(), "standby-%d.log" % self.port), "w")
        self.process = subprocess.Popen(
            [program, "-D", self.data, "-c", "port=%d" % self.port, "-c", "listen_addresses=" + ADDRESS,
             "-c", "unix_socket_directories=" + self.data, "-c", "wal_level=logical", "-c", "fsync=off",
             "-c", "max_replication_slots=4", "-c", "max_wal_senders=4", "-c", "shared_buffers=32MB"],
            stdout=self.log, stderr=self.log, cwd="/", user=owner.st_uid if os.getuid() == 0 else None)
        self.wait(lambda: self.sql("SELECT 1"), "does not come up")

    def write(self, name, text):
        with open(os.path.join(self.data, name), "w") as file:
            file.write(text)

    def wait(self, condition, what, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if condition():
                    return
            except RuntimeError:
                pass
            time.sleep(0.1)
        with open(self.log.name) as log:
            raise RuntimeError("the standby: %s:\n%s" % (what, log.read()[-3000:]))

    def sql(self, text, *options):
        done = subprocess.run(["psql", "-XqAt", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", ADDRESS, "-p",
                               str(self.port), "-U", "postgres", *options], input=text,
                              capture_output=True, text=True,
                              env=dict(os.environ, PGPASSWORD=self.env["ROOT_PASSWORD"]))
        if done.returncode != 0:
            raise RuntimeError("standby: " + done.stderr)
        return [line.split("\t") for line in done.stdout.splitlines()]

    def stop(self):
        self.process.send_signal(signal.SIGINT)  # fast: a client that stays does not hold it up
        self.process.wait()
        self.log.close()
        os.unlink(self.log.name)
