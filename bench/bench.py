# SPDX-License-Identifier: MIT
"""Reproducible measurements, each beside its limit in the same run.

    bench.py backlog-postgres | backlog-mysql KIND | snapshot | latency | mixed KIND | all
             [--rows N] [--rounds N]

Rounds alternate (limit, millrace, limit, ...); the table gives medians, every single value and the
CPU seconds of server and client. Servers are private ones of tools/servers, on this machine, with
fsync on. Needs a release build: MILLRACE_BIN and MILLRACE_BENCH_BIN (the folder of the C helpers).
"""
import os
import re
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "e2e"))
import lab  # noqa: E402

HELPERS = os.environ.get("MILLRACE_BENCH_BIN", "")
TICKS = os.sysconf("SC_CLK_TCK")

COLUMNS_PG = """id bigint PRIMARY KEY, plate text NOT NULL, vehicle_type smallint NOT NULL,
  location_id int NOT NULL, entry_at timestamp NOT NULL, exit_at timestamp, method varchar(16),
  amount numeric(12,2), status text"""
COLUMNS_MY = """id BIGINT PRIMARY KEY, plate VARCHAR(16) NOT NULL, vehicle_type SMALLINT NOT NULL,
  location_id INT NOT NULL, entry_at DATETIME NOT NULL, exit_at DATETIME, method VARCHAR(16),
  amount DECIMAL(12,2), status VARCHAR(16)"""
ROW_PG = """i, 'B-' || lpad(i::text, 7, '0'), i % 6, i % 50, timestamp '2026-01-01' + i * interval '1 s',
  timestamp '2026-01-01' + i * interval '1 s' + interval '1 h', (ARRAY['cash','card','qr'])[1 + i % 3],
  (i % 10000) / 100.0, 'closed'"""
ROW_MY = """i, CONCAT('B-', LPAD(i, 7, '0')), i % 6, i % 50, '2026-01-01' + INTERVAL i SECOND,
  '2026-01-01' + INTERVAL i + 3600 SECOND, ELT(1 + i % 3, 'cash', 'card', 'qr'), (i % 10000) / 100,
  'closed'"""


def cpu_seconds(pids):
    """User and system seconds of processes, their ended children included."""
    total = 0.0
    for pid in pids:
        try:
            with open("/proc/%d/stat" % pid) as file:
                fields = file.read().rsplit(") ", 1)[1].split()
            total += sum(int(f) for f in fields[11:15]) / TICKS
        except OSError:
            pass
    return total


def tree(pid):
    """A process and its descendants: PostgreSQL has one a connection."""
    found = [pid]
    for line in subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True,
                               text=True).stdout.splitlines():
        child, parent = (int(part) for part in line.split())
        if parent in found:
            found.append(child)
    return found


def peak_mib(pid):
    with open("/proc/%d/status" % pid) as file:
        return int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1)) / 1024


class Sampler:
    """CPU of the server while something runs beside it."""

    def __init__(self, server):
        self.pid = int(server.env["PID"])
        self.before = cpu_seconds(tree(self.pid))

    def seconds(self):
        return cpu_seconds(tree(self.pid)) - self.before


def run_client(command, server):
    """Seconds on the clock, the client's CPU seconds and the server's."""
    sampler = Sampler(server)
    before = os.times()
    started = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    elapsed = time.monotonic() - started
    after = os.times()
    if done.returncode != 0:
        sys.exit("%s: %s" % (command[0], done.stderr))
    client = after.children_user + after.children_system - before.children_user - before.children_system
    return elapsed, client, sampler.seconds()


def wait_rows(pipeline, rows, seconds=300):
    """Until the first sink has committed so many rows; seconds since the process's start."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            total = pipeline.status()["sinks"][0]["rows_total"]
            if total >= rows:
                return
        except (OSError, ValueError):
            pass
        if not pipeline.is_running():
            sys.exit("millrace ended:\n" + pipeline.log_tail())
        time.sleep(0.01)
    sys.exit("only %s rows came:\n%s" % (total, pipeline.log_tail()))


def run_millrace(pipeline, server, rows):
    sampler = Sampler(server)
    started = time.monotonic()
    pipeline.start()
    wait_rows(pipeline, rows)
    elapsed = time.monotonic() - started
    pid = pipeline.process.pid
    result = elapsed, cpu_seconds([pid]), sampler.seconds(), peak_mib(pid)
    pipeline.stop()
    return result


class Table:
    """Values by name, printed as medians with every single one behind."""

    def __init__(self, title, rows):
        self.title, self.rows, self.values = title, rows, {}

    def add(self, name, elapsed, client, server, peak=None):
        self.values.setdefault(name, []).append((self.rows / elapsed, client, server, peak))
        print("  %-28s %9.0f rows/s  client %5.2f s  server %5.2f s%s" % (
            name, self.rows / elapsed, client, server, "  peak %3.0f MiB" % peak if peak else ""),
            flush=True)

    def median(self, name, index=0):
        return statistics.median(v[index] for v in self.values[name])

    def show(self, beside):
        print("\n## %s, %d rows" % (self.title, self.rows))
        print("| | rows/s, median | all | client CPU s | server CPU s | peak MiB |")
        print("|---|---|---|---|---|---|")
        for name, values in self.values.items():
            peak = max((v[3] for v in values if v[3]), default=None)
            print("| %s | %.0f | %s | %.2f | %.2f | %s |" % (
                name, self.median(name), " ".join("%.0fk" % (v[0] / 1000) for v in values),
                self.median(name, 1), self.median(name, 2), "%.0f" % peak if peak else ""))
        for other in beside:
            print("\nratio millrace / %s: %.2f" % (other,
                                                  self.median("millrace") / self.median(other)))
        sys.stdout.flush()


def load_postgres(server, rows, table="ticket"):
    body = "INSERT INTO %s SELECT %s FROM generate_series(" % (table, ROW_PG)
    text = "".join("%s%d, %d) i;\n" % (body, at + 1, at + 1000) for at in range(0, rows, 1000))
    server.sql(text, "-d", "bench", "-q")


def load_mysql(server, rows, database="bench"):
    text = "".join("INSERT INTO ticket SELECT %s FROM (SELECT %d + n AS i FROM nums) x;\n" %
                   (ROW_MY, at) for at in range(0, rows, 1000))
    server.sql(text, database)


def prepare_mysql(server, database="bench"):
    server.sql("CREATE DATABASE %s" % database)
    server.sql("CREATE TABLE ticket (%s); CREATE TABLE nums (n INT PRIMARY KEY);"
               "INSERT INTO nums WITH RECURSIVE c AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM c "
               "WHERE n < 1000) SELECT n FROM c;" % COLUMNS_MY, database)


def sink_text(sink):
    return "sinks:\n  - name: warehouse\n    type: %s\n%s" % (
        sink, "    path: @DATA@/warehouse.duckdb\n" if sink == "duckdb" else "")


def config(source, sink="duckdb"):
    return lab.CONFIG_HEAD + "sources:\n" + source + sink_text(sink)


def backlog_postgres(rows, rounds):
    server = lab.Server("postgres", "bench", "-c", "max_replication_slots=40", "-c",
                        "max_wal_senders=20", fsync=True)
    server.sql("CREATE DATABASE bench")
    server.sql("CREATE TABLE ticket (%s);" % COLUMNS_PG, "-d", "bench")
    server.sql("CREATE PUBLICATION bench FOR TABLE ticket;", "-d", "bench")
    slots = ["s_%s_%d" % (who, n) for n in range(rounds) for who in ("recv", "paced", "mill", "disc")]
    server.sql("".join("SELECT pg_create_logical_replication_slot('%s', 'pgoutput');" % slot
                       for slot in slots), "-d", "bench")
    load_postgres(server, rows)
    server.sql("CHECKPOINT;")
    end = server.sql("SELECT pg_current_wal_lsn();", "-d", "bench")[0][0]
    connection = "host=127.0.0.1 port=%d user=%s password=%s dbname=bench" % (
        server.port, server.env["ROOT_USER"], server.env["ROOT_PASSWORD"])
    table = Table("PostgreSQL backlog into DuckDB", rows)
    recv = shutil.which("pg_recvlogical") or sorted(
        "/usr/lib/postgresql/%s/bin/pg_recvlogical" % v for v in os.listdir("/usr/lib/postgresql"))[-1]
    for n in range(rounds):
        table.add("pg_recvlogical", *run_client(
            [recv, "-d", connection, "--slot", "s_recv_%d" % n, "--start", "-f", "/dev/null",
             "--endpos", end, "--no-loop", "-o", "proto_version=1", "-o", "publication_names=bench"],
            server))
        table.add("paced libpq reader", *run_client(
            [os.path.join(HELPERS, "paced_reader"), connection + " replication=database",
             "s_paced_%d" % n, "bench", end, "200"], server))
        for name, sink, slot in (("millrace", "duckdb", "mill"), ("millrace, discard", "discard", "disc")):
            more = "    slot: s_%s_%d\n    publication: bench\n    snapshot: no_data\n" % (slot, n)
            pipeline = lab.Pipeline(config(lab.postgres_source(server, "crm", "bench", more=more), sink))
            table.add(name, *run_millrace(pipeline, server, rows))
            pipeline.remove()
    table.show(["pg_recvlogical", "paced libpq reader"])
    server.wipe()


def prepared_mysql(server, database, table_glob="bench.*"):
    """A data directory whose position lies before what is loaded next."""
    source = lab.mysql_source(server, "ops", table_glob, "    snapshot: no_data\n")
    pipeline = lab.Pipeline(config(source))
    pipeline.start()
    pipeline.wait_ready()
    pipeline.stop()
    return pipeline, source


def backlog_mysql(kind, rows, rounds):
    server = lab.Server(kind, "bench", fsync=True)
    prepare_mysql(server)
    prepared, source = prepared_mysql(server, "bench")
    load_mysql(server, rows)
    table = Table("%s backlog into DuckDB" % kind, rows)
    for _ in range(rounds):
        table.add("bare DuckDB appender", *run_client(
            [os.path.join(HELPERS, "bench_appender"), str(rows)], server))
        for name, sink in (("millrace", "duckdb"), ("millrace, discard", "discard")):
            pipeline = lab.Pipeline(config(source, sink))
            shutil.copytree(prepared.data, pipeline.data)
            table.add(name, *run_millrace(pipeline, server, rows))
            pipeline.remove()
    table.show(["bare DuckDB appender"])
    server.wipe()


def snapshot(rows, rounds):
    postgres = lab.Server("postgres", "bench", fsync=True)
    postgres.sql("CREATE DATABASE bench")
    postgres.sql("CREATE TABLE ticket (%s);" % COLUMNS_PG, "-d", "bench")
    load_postgres(postgres, rows)
    table = Table("PostgreSQL snapshot into DuckDB", rows)
    for n in range(rounds):
        table.add("COPY TO STDOUT", *run_client(
            ["psql", "-q", "-d", postgres.env["URL"].rsplit("/", 1)[0] + "/bench", "-o", "/dev/null",
             "-c", "COPY ticket TO STDOUT"], postgres))
        pipeline = lab.Pipeline(config(lab.postgres_source(
            postgres, "crm", "bench", more="    slot: snap_%d\n" % n)))
        table.add("millrace", *run_millrace(pipeline, postgres, rows))
        postgres.sql("SELECT pg_drop_replication_slot('snap_%d');" % n, "-d", "bench")
        pipeline.remove()
    table.show(["COPY TO STDOUT"])
    postgres.wipe()
    mysql = lab.Server("mariadb", "bench", fsync=True)
    prepare_mysql(mysql)
    load_mysql(mysql, rows)
    table = Table("MariaDB snapshot into DuckDB", rows)
    for n in range(rounds):
        table.add("mariadb --quick", *run_client(
            ["mariadb", "--no-defaults", "--quick", "-h127.0.0.1", "-P%d" % mysql.port,
             "-u" + mysql.env["ROOT_USER"], "-p" + mysql.env["ROOT_PASSWORD"], "bench", "-e",
             "SELECT * FROM ticket"], mysql))
        pipeline = lab.Pipeline(config(lab.mysql_source(mysql, "ops", "bench.ticket")))
        table.add("millrace", *run_millrace(pipeline, mysql, rows))
        pipeline.remove()
    table.show(["mariadb --quick"])
    mysql.wipe()


def latency(rate, seconds):
    for kind in ("postgres", "mariadb", "mysql80"):
        server = lab.Server(kind, "bench", fsync=True)
        if kind == "postgres":
            server.sql("CREATE DATABASE bench")
            server.sql("CREATE TABLE ticket (%s);" % COLUMNS_PG, "-d", "bench")
            source = lab.postgres_source(server, "src", "bench")
            url, name = server.env["URL"].rsplit("/", 1)[0] + "/bench", "ticket"
            target = "src_public.ticket"
        else:
            server.sql("CREATE DATABASE bench")
            server.sql("CREATE TABLE ticket (%s);" % COLUMNS_MY, "bench")
            source = lab.mysql_source(server, "src", "bench.*")
            url, name, target = server.env["URL"], "bench.ticket", "src_bench.ticket"
        for heavy in (False, True):
            pipeline = lab.Pipeline(config(source))
            pipeline.start()
            pipeline.wait_ready()
            started = subprocess.Popen(
                [os.path.join(HELPERS, "bench_latency"), "postgres" if kind == "postgres" else "mysql",
                 url, pipeline.url, name, target, str(rate), str(seconds)],
                stdout=subprocess.PIPE, text=True)
            while heavy and started.poll() is None:
                try:
                    pipeline.query("SELECT sum(hash(a.i * b.i)) FROM range(3000) a(i), range(3000) b(i)")
                except (RuntimeError, OSError):
                    time.sleep(0.05)
            line = started.communicate()[0].strip()
            sink = pipeline.status()["sinks"][0]
            print("| %s, %d commits/s%s | %s | checkpoints %d | peak %.0f MiB |" % (
                kind, rate, ", one heavy query" if heavy else "", line, sink["checkpoints_total"],
                peak_mib(pipeline.process.pid)), flush=True)
            pipeline.stop()
            pipeline.remove()
            if kind == "postgres":
                server.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots;"
                           "TRUNCATE ticket;", "-d", "bench")
            else:
                server.sql("TRUNCATE ticket;", "bench")
        server.wipe()


def mixed(kind, rows, rounds):
    server = lab.Server(kind, "bench", fsync=True)
    schema = os.path.join(lab.ROOT, "examples", "parking", "mysql.sql")
    with open(schema) as file:
        server.sql(file.read())
    prepared, source = prepared_mysql(server, "parking", "parking.*")
    subprocess.run([lab.millrace_program(), "feed", "mysql", "--quiet", "--url",
                    server.env["URL"] + "parking", "--rate", "10000000", "--rows", str(rows)], check=True)
    table = Table("%s, the feeder's mix, backlog" % kind, rows)
    for _ in range(rounds):
        pipeline = lab.Pipeline(config(source))
        shutil.copytree(prepared.data, pipeline.data)
        table.add("millrace", *run_millrace(pipeline, server, rows))
        pipeline.remove()
    table.show([])
    server.wipe()


def option(arguments, name, value):
    if name in arguments:
        at = arguments.index(name)
        value = int(arguments[at + 1])
        del arguments[at:at + 2]
    return value


def main():
    arguments = sys.argv[1:]
    rows = option(arguments, "--rows", 1000000)
    rounds = option(arguments, "--rounds", 5)
    rate = option(arguments, "--rate", 1000)
    seconds = option(arguments, "--seconds", 60)
    what = arguments[0] if arguments else ""
    kind = arguments[1] if len(arguments) > 1 else "mariadb"
    if what in ("backlog-postgres", "all"):
        backlog_postgres(rows, rounds)
    if what in ("backlog-mysql", "all"):
        for one in ([kind] if what != "all" else ["mariadb", "mysql80"]):
            backlog_mysql(one, rows, rounds)
    if what in ("snapshot", "all"):
        snapshot(rows, rounds)
    if what in ("mixed", "all"):
        mixed(kind, rows, rounds)
    if what in ("latency", "all"):
        latency(rate, seconds)
    if what not in ("backlog-postgres", "backlog-mysql", "snapshot", "mixed", "latency", "all"):
        sys.exit(__doc__)


main()
