# SPDX-License-Identifier: MIT
"""Transactions of any size: inserted, updated, deleted and mixed over two tables, each in one source
transaction, land whole, within memory_max, also when the program is killed in the middle.

    test_big_transaction.py KIND [--rows N] [--memory MiB]

A reader asks all along for count and sum over both tables in one statement: it must never see
anything but what the source committed. `./check` runs 300,000 rows with 128 MiB, which leaves the
engine 40: what deletes hold does not fit there. --rows 5000000 --memory 256 is the same in earnest.
"""
import re
import sys
import threading
import time

import lab

PG_TABLES = "".join(
    "CREATE TABLE %s (id bigint PRIMARY KEY, version int NOT NULL, amount numeric(12,2), note text);"
    % t for t in ("big", "other"))
MY_TABLES = "".join(
    "CREATE TABLE %s (id BIGINT PRIMARY KEY, version INT NOT NULL, amount DECIMAL(12,2), "
    "note VARCHAR(60));" % t for t in ("big", "other"))
ROW = "i, 1, i %% 10000 / 100.0, concat('note of a row ', i)"
NUMBERS_MY = ("(SELECT (a.n - 1) * 1000000 + (b.n - 1) * 1000 + c.n AS i FROM nums a, nums b, nums c "
              "WHERE a.n <= %d AND (a.n - 1) * 1000000 + (b.n - 1) * 1000 + c.n <= %d) x")


def option(name, value):
    arguments = sys.argv
    return int(arguments[arguments.index(name) + 1]) if name in arguments else value


def memory_mib(pid, field="VmHWM"):
    with open("/proc/%d/status" % pid) as file:
        return int(re.search(field + r":\s+(\d+)", file.read()).group(1)) / 1024


class Reader(threading.Thread):
    """What the warehouse shows, all along: everything that was ever seen."""

    def __init__(self, pipeline, schema):
        super().__init__(daemon=True)
        self.pipeline, self.schema = pipeline, schema
        self.seen, self.reads, self.stopping = set(), 0, False

    def look(self):
        rows = self.pipeline.query(
            "SELECT (SELECT count(*) FROM {0}.big), (SELECT coalesce(sum(version), 0) FROM {0}.big), "
            "(SELECT count(*) FROM {0}.other), (SELECT coalesce(sum(version), 0) FROM {0}.other)"
            .format(self.schema))
        return tuple(int(value) for value in rows[0])

    def run(self):
        while not self.stopping:
            try:
                self.seen.add(self.look())
                self.reads += 1
            except (OSError, RuntimeError, ValueError, KeyError):
                pass  # killed, or the sink needed the memory
            time.sleep(0.05)


class Case:
    def __init__(self, kind, rows, memory):
        self.kind, self.rows, self.memory = kind, rows, memory
        self.server = lab.Server(kind, "big")
        postgres = kind.startswith("postgres")
        self.options = ("-d", "big") if postgres else ("big",)
        self.server.sql("CREATE DATABASE big")
        if postgres:
            self.server.sql(PG_TABLES, *self.options)
            source = lab.postgres_source(self.server, "src", "big")
            self.numbers = "generate_series(1, %d) AS i" % rows
            self.schema, self.begin = "src_public", "BEGIN;"
        else:
            self.server.sql(MY_TABLES + "CREATE TABLE nums (n INT PRIMARY KEY);"
                            "INSERT INTO nums WITH RECURSIVE c AS (SELECT 1 AS n UNION ALL "
                            "SELECT n + 1 FROM c WHERE n < 1000) SELECT n FROM c;", *self.options)
            source = lab.mysql_source(self.server, "src", "big.big, big.other")
            self.numbers = NUMBERS_MY % (rows // 1000000 + 1, rows)
            self.schema, self.begin = "src_big", "START TRANSACTION;"
        self.pipeline = lab.Pipeline(lab.config(source, more="memory_max: %dMiB\n" % memory))
        self.reader = Reader(self.pipeline, self.schema)
        self.expected = {(0, 0, 0, 0)}

    def start(self):
        self.pipeline.start()
        self.pipeline.wait_ready()

    def wait(self, state, seconds):
        self.pipeline.wait_for(lambda: self.reader.look() == state, "%s" % (state,), seconds)

    def transaction(self, name, statements, state, crash=False):
        """One transaction at the source; then the warehouse goes from the state before to this."""
        started = time.monotonic()
        self.server.sql(self.begin + statements + "COMMIT;", *self.options)
        committed = time.monotonic()
        self.expected.add(state)
        if crash:
            lab.expect(self.pipeline.wait_end(600) == -9, "it was to be killed")
            self.start()
        self.wait(state, 900)
        peak = memory_mib(self.pipeline.process.pid)
        print("    %-34s source %6.1f s, then %6.1f s to be visible, peak %4.0f MiB%s" % (
            name, committed - started, time.monotonic() - committed, peak,
            ", killed once" if crash else ""), flush=True)
        lab.expect(peak <= self.memory, "%s: peak %.0f MiB > %d MiB" % (name, peak, self.memory))

    def run(self):
        rows, half = self.rows, self.rows // 2
        insert = "INSERT INTO %s SELECT " + ROW.replace("%%", "%") + " FROM " + self.numbers + ";"
        self.start()
        self.reader.start()
        self.transaction("insert %d rows" % rows, insert.replace("%s", "big"), (rows, rows, 0, 0))
        self.transaction("update them all", "UPDATE big SET version = 2;", (rows, rows * 2, 0, 0))
        self.transaction("delete them all", "DELETE FROM big;", (0, 0, 0, 0))
        self.transaction(
            "mixed, two tables, keys change",
            insert.replace("%s", "other") + "INSERT INTO big SELECT * FROM other WHERE id <= {0};"
            "UPDATE other SET version = 3 WHERE id <= {0};"
            "UPDATE big SET id = id + 100000000 WHERE id % 10 = 0;"
            "DELETE FROM other WHERE id > {0};".format(half), (half, half, half, half * 3))
        self.pipeline.stop()
        self.pipeline.start(crash_point="loader.before_commit:1")
        self.pipeline.wait_ready()
        self.transaction("update both, killed before the commit",
                         "UPDATE other SET version = 4; UPDATE big SET version = 5;",
                         (half, half * 5, half, half * 4), crash=True)
        self.reader.stopping = True
        self.reader.join()
        wrong = self.reader.seen - self.expected
        lab.expect(not wrong, "the reader saw a part of a transaction: %s" % sorted(wrong))
        lab.expect(self.reader.reads > 20, "only %d reads" % self.reader.reads)
        same = self.pipeline.query(
            "SELECT count(*), sum(id)::BIGINT, sum(amount), min(note), max(note) FROM %s.big" % self.schema)
        there = self.server.sql("SELECT count(*), sum(id), sum(amount), min(note), max(note) FROM big",
                                *self.options)
        lab.expect([str(v) for v in same[0]] == there[0], "%s is not %s" % (same, there))
        lab.expect(self.pipeline.stop() == 0, "exit code")
        print("    %s: %d reads, none of a part; states %d" % (self.kind, self.reader.reads,
                                                                len(self.reader.seen)))


Case(sys.argv[1], option("--rows", 300000), option("--memory", 128)).run()
