# SPDX-License-Identifier: MIT
"""Staying connected: cuts, silence and restarts under a writer, an address that changes, passwords that
are rotated, TLS that is verified, and a primary that another server takes over from.
"""
import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import lab
from proxy import Proxy
from standby import Standby

ADDRESS = "127.0.0.1"
SERVERS = {}


def start_servers():
    """All at once: what a start costs is waiting."""
    wanted = {
        "pg": ("postgres", "con", ()),
        "my_a": ("mysql80", "a", ("--gtid-mode=ON", "--enforce-gtid-consistency=ON")),
        "my_b": ("mysql80", "b", ("--gtid-mode=ON", "--enforce-gtid-consistency=ON", "--server-id=2",
                                  "--log-replica-updates=ON")),
        "maria_a": ("mariadb", "a", ()),
        "maria_b": ("mariadb", "b", ("--server-id=2", "--log-slave-updates=ON")),
    }

    def start(key, kind, name, options):
        SERVERS[key] = lab.Server(kind, name, *options)

    for keys in (("pg", "my_a", "maria_a"), ("my_b", "maria_b")):  # one of a kind at a time
        lab.start_all([(start, (key, *wanted[key])) for key in keys])


def temporary_directory():
    directory = tempfile.mkdtemp(prefix="millrace-e2e-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return directory


def sql(key, text):
    server = SERVERS[key]
    return server.sql(text, "-d", "shop") if key.startswith("pg") else server.sql("USE shop;" + text)


TABLES = ("CREATE TABLE item (id INT PRIMARY KEY, price INT);"
          "CREATE TABLE visit (page VARCHAR(20), seconds INT);")


def rows_are_equal(pipeline, source, key):
    space = "public" if key.startswith("pg") else "shop"
    for table in ("item", "visit"):
        theirs = sorted(tuple(row) for row in sql(key, "SELECT * FROM %s" % table))
        ours = pipeline.query("SELECT * FROM %s_%s.%s" % (source, space, table))
        if theirs != sorted(tuple(str(cell) for cell in row) for row in ours):
            return False
    return True


def wait_equal(pipeline, source, key, what, seconds=30):
    pipeline.wait_for(lambda: rows_are_equal(pipeline, source, key), what, seconds)


def log_has(pipeline, text, since=0):
    with open(pipeline.log) as log:
        return text in log.read()[since:]


def count_log(pipeline, text):
    with open(pipeline.log) as log:
        return log.read().count(text)


def source_of(pipeline, name):
    return next(s for s in pipeline.status()["sources"] if s["name"] == name)


def url(key, *ports, user=None):
    server = SERVERS[key]
    scheme, tail = ("postgres", "shop") if key.startswith("pg") else ("mysql", "")
    hosts = ",".join("%s:%d" % (ADDRESS, port) for port in ports or [server.port])
    return "%s://%s@%s/%s" % (scheme, user or server.env["ROOT_USER"], hosts, tail)


def source(name, key, ports=(), more="", user=None, password=True):
    kind = "postgres" if key.startswith("pg") else "mysql"
    text = "  - name: %s\n    type: %s\n    url: %s\n" % (name, kind, url(key, *ports, user=user))
    if password:
        text += "    password: %s\n" % SERVERS[key].env["ROOT_PASSWORD"]
    text += "    tables: [%s]\n" % ("public.*" if kind == "postgres" else "shop.*")
    return text + "".join("    %s\n" % line for line in more.splitlines())


class Writer:
    """Commits one row after the other, whatever happens to the server; what it committed is known."""

    def __init__(self, key, first):
        self.key, self.next, self.is_over = key, first, False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.is_over:
            try:
                sql(self.key, "INSERT INTO item VALUES (%d, %d); INSERT INTO visit VALUES ('w', %d)" %
                    (self.next, self.next, self.next % 3))
            except RuntimeError:
                time.sleep(0.05)
            self.next += 1

    def stop(self):
        self.is_over = True
        self.thread.join()
        return self.next


# ---- Cuts, silence, slowness, addresses, restarts. ----

def make_tables():
    for key in ("pg", "my_a", "maria_a"):
        SERVERS[key].sql("CREATE DATABASE shop")
        sql(key, TABLES + ("ALTER TABLE visit REPLICA IDENTITY FULL;" if key == "pg" else ""))


def check_budget(pipeline):
    """What is left until the servers may discard what we need, while nothing is wrong."""
    pipeline.wait_for(lambda: source_of(pipeline, "pg")["retention"]["left_bytes"] is not None,
                      "the budget of a slot", 10)
    slot, binlog = source_of(pipeline, "pg")["retention"], source_of(pipeline, "my")["retention"]
    lab.expect(slot["total_bytes"] == 512 << 20 and slot["left_bytes"] > 256 << 20 and
               slot["held_bytes"] is not None, "the budget of a slot: %s" % slot)
    lab.expect(binlog["total_seconds"] == 5 and binlog["left_seconds"] <= 5,
               "the budget of a binlog: %s" % binlog)
    metrics = pipeline.get("/metrics")[1]
    for name in ("left_bytes", "left_seconds", "held_bytes"):
        lab.expect('millrace_source_retention_%s{source="pg"}' % name in metrics, "metric " + name)
    code, text, _ = pipeline.run("status", "--url", pipeline.url)
    lab.expect(code == 0 and "the server keeps what we need for" in text, "status says it:\n" + text)


def check_network():
    proxies = {key: Proxy(SERVERS[key].port) for key in ("pg", "my_a", "maria_a")}
    names = {"pg": "pg", "my_a": "my", "maria_a": "maria"}
    fast = "silence_max: 2s\nconnect_timeout: 2s"
    sql("my_a", "SET GLOBAL binlog_expire_logs_seconds = 5")
    sql("pg", "ALTER SYSTEM SET max_slot_wal_keep_size = '512MB'")
    sql("pg", "SELECT pg_reload_conf()")
    pipeline = lab.Pipeline(lab.config(*[source(names[key], key, [proxies[key].port], fast)
                                         for key in proxies]))
    pipeline.start()
    pipeline.wait_ready(60)
    check_budget(pipeline)
    writers = [Writer(key, 1) for key in proxies]
    for proxy in proxies.values():
        proxy.cut()
    for key, name in names.items():
        pipeline.wait_for(lambda name=name: count_log(pipeline, '"source.connected","source":"%s"' %
                                                      name) == 2, "%s: back after a cut" % name, 20)
    since = os.path.getsize(pipeline.log)
    began = time.monotonic()
    for proxy in proxies.values():
        proxy.is_silent = True
    for name in names.values():
        pipeline.wait_for(lambda name=name: source_of(pipeline, name)["state"] != "streaming",
                          "%s: silence is noticed" % name, 20)
    took = time.monotonic() - began
    lab.expect(log_has(pipeline, "silent for", since) and log_has(pipeline, "sent nothing for", since),
               "silence is told:\n" + pipeline.log_tail())
    pipeline.wait_for(lambda: log_has(pipeline, '"source.retention_low","source":"my"', since),
                      "the lag budget of a server that is away", 10)
    for proxy in proxies.values():
        proxy.is_silent = False
        proxy.cut()
    for key in proxies:
        SERVERS[key].stop()
        SERVERS[key].start_again(*(("--gtid-mode=ON", "--enforce-gtid-consistency=ON")
                                   if key == "my_a" else ()))
    for proxy in proxies.values():
        proxy.bytes_per_second = 200000
    for writer in writers:
        writer.stop()
    for key, name in names.items():
        wait_equal(pipeline, name, key, "%s after cuts, silence, a restart" % name, 60)
    lab.expect(log_has(pipeline, '"source.retention_recovered","source":"my"'), "the budget is back")
    print("    cut, silent (noticed after %.1f s of 2 s), restarted, slow: rows equal" % took)
    lab.expect(pipeline.stop() == 0, "does not end well")


# ---- Passwords. ----

def check_password():
    directory = temporary_directory()
    file = os.path.join(directory, "password")
    create = {"pg": "CREATE ROLE cdc LOGIN SUPERUSER REPLICATION PASSWORD '%s'",
              "my_a": "CREATE USER cdc@'127.0.0.1' IDENTIFIED BY '%s';"
                      "GRANT ALL ON *.* TO cdc@'127.0.0.1'"}
    alter = {"pg": "ALTER ROLE cdc PASSWORD '%s'",
             "my_a": "ALTER USER cdc@'127.0.0.1' IDENTIFIED BY '%s'"}
    proxies = {key: Proxy(SERVERS[key].port) for key in create}

    def write(password):
        with open(file, "w") as out:
            out.write(password + "\n")

    write("wrong")
    for key in create:
        sql(key, create[key] % "first")
    names = {"pg": "pg", "my_a": "my"}
    text = lab.config(*[source(names[key], key, [proxies[key].port], "password_file: " + file, "cdc",
                               False) for key in create])
    pipeline = lab.Pipeline(text)
    pipeline.start()
    lab.expect(pipeline.wait_end(30) == 3, "a wrong password at the first start ends with code 3")
    write("first")
    pipeline.start()
    pipeline.wait_ready(60)
    for key in create:
        sql(key, alter[key] % "second")
        proxies[key].cut()
    for name in names.values():
        pipeline.wait_for(lambda name=name: source_of(pipeline, name)["error_code"] == "config",
                          "%s: the refusal is shown" % name, 10)
    write("second")
    for i, (key, name) in enumerate(names.items()):
        sql(key, "INSERT INTO item VALUES (%d, 1)" % (100000 + i))
        wait_equal(pipeline, name, key, "%s after the password was rotated" % name)
    lab.expect(pipeline.stop() == 0, "does not end well")
    print("    password: rotated while running, refused at a first start")


# ---- TLS. ----

def openssl(directory, *arguments):
    done = subprocess.run(["openssl", *arguments], cwd=directory, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("openssl %s: %s" % (" ".join(arguments), done.stderr))


def make_certificate(directory, authority, name, subject, names, days="30"):
    openssl(directory, "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=" + subject, "-keyout",
            name + ".key", "-out", name + ".csr")
    with open(os.path.join(directory, name + ".ext"), "w") as out:
        out.write("subjectAltName=" + names)
    openssl(directory, "x509", "-req", "-in", name + ".csr", "-CA", authority + ".pem", "-CAkey",
            authority + ".key", "-CAcreateserial", "-days", days, "-extfile", name + ".ext", "-out",
            name + ".pem")


def make_certificates():
    directory = temporary_directory()
    for authority in ("ca", "other"):
        openssl(directory, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj",
                "/CN=" + authority, "-keyout", authority + ".key", "-out", authority + ".pem")
    make_certificate(directory, "ca", "good", "localhost", "IP:127.0.0.1,DNS:localhost")
    make_certificate(directory, "ca", "elsewhere", "db.example", "DNS:db.example")
    make_certificate(directory, "ca", "expired", "localhost", "IP:127.0.0.1", days="-1")
    make_certificate(directory, "ca", "client", "cdc", "DNS:cdc")
    make_certificate(directory, "other", "stranger", "cdc", "DNS:cdc")
    os.chmod(directory, 0o755)
    for name in os.listdir(directory):
        os.chmod(os.path.join(directory, name), 0o600 if name.endswith(".key") else 0o644)
    return directory


def use_certificate(key, directory, name):
    """The server's own copies: it wants its key readable by nobody else."""
    server = SERVERS[key]
    owner = os.stat(os.path.join(server.env["DIR"], "data"))
    for suffix, what in ((".pem", "cert"), (".key", "key")):
        path = os.path.join(server.env["DIR"], "tls-%s.pem" % what)
        with open(os.path.join(directory, name + suffix)) as given, open(path, "w") as out:
            out.write(given.read())
        os.chmod(path, 0o600)
        os.chown(path, owner.st_uid, owner.st_gid)
    prefix = server.env["DIR"] + "/tls-"
    if key == "pg":
        sql(key, "ALTER SYSTEM SET ssl_cert_file = '%scert.pem'" % prefix)
        sql(key, "ALTER SYSTEM SET ssl_key_file = '%skey.pem'" % prefix)
        sql(key, "ALTER SYSTEM SET ssl_ca_file = '%s/ca.pem'" % directory)
        sql(key, "ALTER SYSTEM SET ssl = on")
        sql(key, "SELECT pg_reload_conf()")
        time.sleep(0.3)
    else:
        sql(key, "SET GLOBAL ssl_cert='%scert.pem'; SET GLOBAL ssl_key='%skey.pem';"
                 "SET GLOBAL ssl_ca='%s/ca.pem'; ALTER INSTANCE RELOAD TLS" %
            (prefix, prefix, directory))


def require_client_certificate(key):
    if key == "pg":
        hba = os.path.join(SERVERS[key].env["DIR"], "data", "pg_hba.conf")
        with open(hba) as file:
            lines = file.read()
        with open(hba, "w") as file:
            file.write("hostssl all cdc 127.0.0.1/32 cert\nhostssl replication cdc 127.0.0.1/32 cert\n" +
                       lines)
        sql(key, "SELECT pg_reload_conf()")
    else:
        sql(key, "ALTER USER cdc@'127.0.0.1' REQUIRE X509")


def check_tls():
    directory = make_certificates()
    password = {"pg": "second", "my_a": "second"}
    ca, other = directory + "/ca.pem", directory + "/other.pem"
    mine = ", cert: %s/client.pem, key: %s/client.key" % (directory, directory)
    strange = ", cert: %s/stranger.pem, key: %s/stranger.key" % (directory, directory)
    for key in ("pg", "my_a"):
        def check(tls, words=(), host="127.0.0.1"):
            text = lab.config(source("db", key, [], "tls: {%s}" % tls, "cdc", False) +
                              "    password: %s\n" % password[key]).replace(ADDRESS + ":%d/" %
                                                                            SERVERS[key].port,
                                                                            "%s:%d/" %
                                                                            (host, SERVERS[key].port))
            pipeline = lab.Pipeline(text)
            code, out, err = pipeline.run("check", "-c", pipeline.config)
            said = out + err
            lab.expect((code == 0) == (not words), "%s, %s: code %d: %s" % (key, tls, code, said))
            lab.expect(not words or any(word in said for word in words),
                       "%s, %s: one of %s is not in: %s" % (key, tls, words, said))
            pipeline.remove()

        use_certificate(key, directory, "good")
        check("mode: verify-ca, ca: " + ca)
        check("mode: verify-full, ca: " + ca)
        check("mode: verify-full, ca: " + ca, host="localhost")
        check("mode: verify-ca, ca: " + other, ("certificate",))
        use_certificate(key, directory, "elsewhere")
        check("mode: verify-ca, ca: " + ca)
        check("mode: verify-full, ca: " + ca, ("does not match", "alidation", "name"))
        use_certificate(key, directory, "expired")
        check("mode: verify-ca, ca: " + ca, ("expired",))
        use_certificate(key, directory, "good")
        require_client_certificate(key)
        check("mode: verify-full, ca: " + ca, ("certificate", "denied"))
        # With TLS 1.3 the server refuses after the hand-shake, and may hang up before its alert is read.
        check("mode: verify-full, ca: " + ca + strange, ("certificate", "denied", "alert", "unknown ca",
                                                         "Lost connection"))
        check("mode: verify-full, ca: " + ca + mine)
    print("    TLS: verify-ca, verify-full by IP and name, client certificates; others refused")


# ---- Failover. ----

def replicate(kind):
    """b follows a; both begin with an empty history."""
    a, b = SERVERS[kind + "_a"], SERVERS[kind + "_b"]
    for server in (b, a):
        server.sql("RESET MASTER")
    for _ in range(4):
        a.sql("FLUSH BINARY LOGS")  # places of a lie behind those of b
    if kind == "my":
        b.sql("CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=%d, SOURCE_USER='%s',"
              "SOURCE_PASSWORD='%s', SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1;"
              "START REPLICA; SET GLOBAL read_only=1" %
              (a.port, a.env["ROOT_USER"], a.env["ROOT_PASSWORD"]))
    else:
        b.sql("SET GLOBAL gtid_slave_pos='';"
              "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=%d, MASTER_USER='%s',"
              "MASTER_PASSWORD='%s', MASTER_USE_GTID=slave_pos; START SLAVE; SET GLOBAL read_only=1" %
              (a.port, a.env["ROOT_USER"], a.env["ROOT_PASSWORD"]))


def wait_replicated(kind):
    for _ in range(200):
        tables = [sql(kind + end, "SELECT * FROM item ORDER BY id") for end in ("_a", "_b")]
        if tables[0] == tables[1]:
            return
        time.sleep(0.05)
    sys.exit("FAIL: %s_b does not follow" % kind)


def promote(kind):
    words = ("REPLICA",) * 2 if kind == "my" else ("SLAVE",) * 2
    SERVERS[kind + "_b"].sql("STOP %s; RESET %s ALL; SET GLOBAL read_only=0" % words)


def options_of(kind, end):
    if kind == "my":
        return ("--gtid-mode=ON", "--enforce-gtid-consistency=ON") + (
            ("--server-id=2", "--log-replica-updates=ON") if end == "b" else ())
    return ("--server-id=2", "--log-slave-updates=ON") if end == "b" else ()


def check_mysql_failover():
    pipelines = {}
    for kind in ("my", "maria"):
        a, b = kind + "_a", kind + "_b"
        sql(a, "DROP DATABASE shop")
        replicate(kind)
        SERVERS[a].sql("CREATE DATABASE shop")
        sql(a, TABLES + "INSERT INTO item VALUES (1, 1); INSERT INTO visit VALUES ('a', 1), ('a', 1)")
        for _ in range(3):
            sql(a, "FLUSH BINARY LOGS")
        ports = [SERVERS[a].port, SERVERS[b].port]
        pipelines[kind] = lab.Pipeline(lab.config(source(kind, a, ports, "on_lost_position: snapshot")
                                                  .replace("password: " +
                                                           SERVERS[a].env["ROOT_PASSWORD"],
                                                           "password: same")))
    for kind, pipeline in pipelines.items():
        a, b = kind + "_a", kind + "_b"
        for key in (a, b):
            SERVERS[key].sql("SET %s sql_log_bin=0; CREATE USER failover@'127.0.0.1' IDENTIFIED BY "
                             "'same'; GRANT ALL ON *.* TO failover@'127.0.0.1'" % "SESSION")
        with open(pipeline.config) as file:
            text = file.read()
        pipeline.write(text.replace("mysql://root@", "mysql://failover@"))
        pipeline.start()
        pipeline.wait_ready(60)
        sql(a, "INSERT INTO item VALUES (2, 2); UPDATE item SET price = 9 WHERE id = 1;"
               "INSERT INTO visit VALUES ('b', 2)")
        wait_equal(pipeline, kind, a, "%s: before the failover" % kind)
        wait_replicated(kind)
        SERVERS[a].stop()
        promote(kind)
        sql(b, "INSERT INTO item VALUES (3, 3); DELETE FROM item WHERE id = 2;"
               "INSERT INTO visit VALUES ('c', 3); DELETE FROM visit WHERE page = 'a' LIMIT 1")
        wait_equal(pipeline, kind, b, "%s: after the failover" % kind)
        SERVERS[a].start_again(*options_of(kind, "a"))
        sql(a, "INSERT INTO item VALUES (66, 66)")  # a primary that nobody told
        SERVERS[b].stop()
        pipeline.wait_for(lambda: "diverged" in (source_of(pipeline, kind)["error"] or ""),
                          "%s: a diverged server is refused" % kind, 20)
        SERVERS[b].start_again(*options_of(kind, "b"))
        sql(b, "INSERT INTO item VALUES (4, 4); INSERT INTO visit VALUES ('d', 4)")
        wait_equal(pipeline, kind, b, "%s: back on the new primary" % kind)
        lab.expect(not log_has(pipeline, "source.position_lost"), "nothing was copied anew")
        lab.expect(pipeline.stop() == 0, "does not end well")
    print("    MySQL and MariaDB: a replica takes over by GTID; a diverged server is refused")


def check_postgres_failover():
    """Before PostgreSQL 17 a promoted standby has no slot: by policy the tables are copied anew."""
    standby = Standby(SERVERS["pg"], "shop")
    SERVERS["pg_b"] = standby
    try:
        follow_standby(SERVERS["pg"], standby)
    finally:
        standby.stop()


def follow_standby(server, standby):
    port = standby.port
    pipeline = lab.Pipeline(lab.config(source("pg", "pg", [port, server.port])))
    pipeline.start()
    pipeline.wait_ready(60)
    lab.expect(not log_has(pipeline, "copied anew"), "a standby is passed over")
    sql("pg", "INSERT INTO item VALUES (900001, 1); DELETE FROM item WHERE id = 1")
    wait_equal(pipeline, "pg", "pg", "postgres: before the failover")
    time.sleep(0.3)
    server.stop()
    standby.sql("SELECT pg_promote()")
    lab.expect(pipeline.wait_end(40) == 3, "a promoted standby without the slot stops the source")
    lab.expect("promoted" in pipeline.log_tail(), "the reason is told:\n" + pipeline.log_tail())
    pipeline.write(lab.config(source("pg", "pg", [port, server.port], "on_lost_position: snapshot")))
    sql("pg_b", "INSERT INTO item VALUES (900002, 2); DELETE FROM visit WHERE seconds = 1")
    pipeline.start()
    pipeline.wait_ready(60)
    wait_equal(pipeline, "pg", "pg_b", "postgres: after the failover")
    sql("pg_b", "INSERT INTO item VALUES (900003, 3)")
    wait_equal(pipeline, "pg", "pg_b", "postgres: streamed from the new primary")
    lab.expect(pipeline.stop() == 0, "does not end well")
    print("    PostgreSQL: a promoted standby, by both policies")


ONLY = os.environ.get("MILLRACE_CASES", "check").split(",")  # parts of names, to run some cases
CASES = (check_network, check_password, check_tls, check_mysql_failover, check_postgres_failover)


def main():
    start_servers()
    make_tables()
    for case in CASES:
        if any(part in case.__name__ for part in ONLY):
            case()


main()
