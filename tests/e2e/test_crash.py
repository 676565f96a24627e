# SPDX-License-Identifier: MIT
"""Kills the running program with SIGKILL twenty times and more, while both sources are written to.

Classes of moment (src/base/crash_point.h), at least three hits in each:
  snapshot            copied rows applied, not committed
  before sync         appended to the stream, not durable
  sync .. commit      durable, applied, the sink's commit not done
  commit .. ack       committed, the server not told yet
  anywhere            at a random moment, from outside

All along a reader checks that the sum over two tables never changes: money moves between them in
every transaction. At the end every row of every table is compared with its source.
"""
import random
import subprocess
import sys
import threading
import time

import lab

ROWS = 150000
TOTAL = ROWS * 1000 * 2
SEED = 20260301
TABLES = ("checking", "saving")

MYSQL_SCHEMA = "".join(
    "CREATE TABLE %s (id BIGINT PRIMARY KEY, amount BIGINT NOT NULL, note VARCHAR(40));" % t
    for t in TABLES)
POSTGRES_SCHEMA = "".join(
    "CREATE TABLE %s (id bigint PRIMARY KEY, amount bigint NOT NULL, note text);" % t
    for t in TABLES)

CLASSES = {
    "snapshot": ["snapshot.rows:%d" % n for n in (2, 9, 17)],
    "before sync": ["journal.before_sync:%d" % n for n in (3, 40, 150, 60)],
    "sync .. commit": ["loader.before_commit:%d" % n for n in (2, 30, 111, 45)],
    "commit .. ack": ["link.before_ack:%d" % n for n in (2, 5, 9, 7)],
    "anywhere": [None] * 6,
}


class Writer(threading.Thread):
    """Moves money between the two tables, one transaction after the other, through one client."""

    def __init__(self, server, begin, *options):
        super().__init__(daemon=True)
        self.server, self.begin = server, begin
        self.random = random.Random(SEED + server.port)
        self.stopping = False
        self.transactions = 0
        self.next_id = {t: ROWS + 1 for t in TABLES}
        self.client = subprocess.Popen(server.client(*options), stdin=subprocess.PIPE,
                                       stdout=subprocess.DEVNULL, text=True)

    def transaction(self):
        draw = self.random.randrange
        amount = draw(1, 500)
        source, target = self.random.sample(TABLES, 2)
        kind = draw(10)
        move = "UPDATE %s SET amount = amount %s %d WHERE id = %d;"
        if kind < 6:
            return (move % (source, "-", amount, draw(1, ROWS + 1)) +
                    move % (target, "+", amount, draw(1, ROWS + 1)))
        if kind < 8:  # a new row, paid for by an old one
            new = self.next_id[target]
            self.next_id[target] += 1
            return (move % (source, "-", amount, draw(1, ROWS + 1)) +
                    "INSERT INTO %s VALUES (%d, %d, 'new');" % (target, new, amount))
        if kind < 9:  # a changed key
            new = self.next_id[target]
            self.next_id[target] += 1
            return ("INSERT INTO %s VALUES (%d, 0, NULL);" % (target, new) +
                    "UPDATE %s SET id = id + 10000000 WHERE id = %d;" % (target, new))
        new = self.next_id[source]  # rows that come and go
        self.next_id[source] += 1
        return ("INSERT INTO %s VALUES (%d, 7, 'brief');" % (source, new) +
                "DELETE FROM %s WHERE id = %d;" % (source, new))

    def run(self):
        while not self.stopping:
            for _ in range(5):
                self.client.stdin.write(self.begin + self.transaction() + "COMMIT;\n")
                self.transactions += 1
            self.client.stdin.flush()
            time.sleep(0.02)

    def finish(self):
        self.stopping = True
        self.join()
        self.client.stdin.close()
        lab.expect(self.client.wait() == 0, "the writer of %s failed" % self.server.kind)


class Reader(threading.Thread):
    """Asks the warehouse for the sum over both tables of each source, all along."""

    def __init__(self, pipeline, schemas):
        super().__init__(daemon=True)
        self.pipeline, self.schemas = pipeline, schemas
        self.stopping, self.reads, self.wrong = False, 0, []
        self.is_complete = False

    def run(self):
        while not self.stopping:
            try:
                if not self.is_complete:  # before, tables are copies in the making
                    self.is_complete = self.pipeline.get("/readyz")[0] == 200
                else:
                    self.read()
            except (OSError, RuntimeError, ValueError, KeyError):
                pass  # the program is down: that is what this test is about
            time.sleep(0.03)

    def read(self):
        for schema in self.schemas:
            rows = self.pipeline.query(
                'SELECT (SELECT sum(amount) FROM "%s".checking)::BIGINT + '
                '(SELECT sum(amount) FROM "%s".saving)::BIGINT' % (schema, schema))
            self.reads += 1
            if int(rows[0][0]) != TOTAL:
                self.wrong.append((schema, rows[0][0]))


def load(mysql, postgres):
    mysql.sql("CREATE DATABASE bank")
    mysql.sql(MYSQL_SCHEMA, "bank")
    postgres.sql("CREATE DATABASE bank")
    postgres.sql(POSTGRES_SCHEMA, "-d", "bank")
    for table in TABLES:
        numbers = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
        depth = "max_recursive_iterations" if mysql.kind == "mariadb" else "cte_max_recursion_depth"
        mysql.sql("SET SESSION %s = 10000000;" % depth +
                  "INSERT INTO %s %s SELECT i, 1000, CONCAT('row ', i) FROM n;" %
                  (table, numbers % ROWS), "bank")
        postgres.sql("INSERT INTO %s SELECT i, 1000, 'row ' || i FROM generate_series(1, %d) i;" %
                     (table, ROWS), "-d", "bank")


def plan_kills():
    """The snapshot's kills first (it happens once), then the others in a seeded order."""
    later = [(name, point) for name, points in CLASSES.items() if name != "snapshot"
             for point in points]
    random.Random(SEED).shuffle(later)
    return [("snapshot", point) for point in CLASSES["snapshot"]] + later


def kill_once(pipeline, name, point, hits):
    pipeline.start(crash_point=point)
    if point is None:
        time.sleep(0.5 + random.random() * 2)
        pipeline.kill()
        hits[name] += 1
        return
    try:
        if pipeline.wait_end(45) == -9:
            hits[name] += 1
            return
    except subprocess.TimeoutExpired:
        pipeline.kill()
    print("    the point %s was not passed often enough" % point)


def warehouse_rows(pipeline, schema, table, low, high):
    rows = pipeline.query('SELECT id, amount, note FROM "%s"."%s" WHERE id >= %d AND id < %d '
                          'ORDER BY id' % (schema, table, low, high))
    return ["\t".join("NULL" if v is None else str(v) for v in row) for row in rows]


def compare(pipeline, server, schema, table, *options):
    null = "COALESCE(note, 'NULL')"
    rows = ["\t".join(row) for row in
            server.sql("SELECT id, amount, %s FROM %s ORDER BY id;" % (null, table), *options)]
    ids = [int(row.split("\t")[0]) for row in rows]
    page, at, different = 5000, 0, 0
    bounds = [-1] + [ids[i] for i in range(page, len(ids), page)] + [1 << 62]
    for low, high in zip(bounds, bounds[1:]):
        found = warehouse_rows(pipeline, schema, table, low, high)
        wanted = rows[at:at + len([i for i in ids[at:at + page] if low <= i < high])]
        at += len(wanted)
        if found != wanted:
            different += 1
            print("    %s.%s differs in ids %d..%d: %s" % (
                schema, table, low, high,
                sorted(set(found) ^ set(wanted))[:6] or "doubled rows"))
    lab.expect(at == len(rows), "not every row was compared")
    lab.expect(different == 0, "%s.%s differs from its source" % (schema, table))
    return len(rows)


def wait_caught_up(pipeline, mysql, postgres):
    """Both sides give the same sums, counts and newest rows, and nothing is on its way."""
    sums = "SELECT count(*), sum(id), sum(amount) FROM %s"

    def equal():
        for server, schema, options in ((mysql, "ops_bank", ["bank"]),
                                        (postgres, "crm_public", ["-d", "bank"])):
            for table in TABLES:
                wanted = server.sql(sums % table + ";", *options)[0]
                found = pipeline.query(sums % ('"%s"."%s"' % (schema, table)))[0]
                if [str(v) for v in found] != wanted:
                    return False
        return True

    pipeline.wait_for(equal, "equal sums", 120)


def main():
    kind = sys.argv[1] if len(sys.argv) > 1 else "mariadb"
    mysql = lab.Server(kind, "crash")
    postgres = lab.Server("postgres", "crash")
    load(mysql, postgres)
    pipeline = lab.Pipeline(lab.config(
        lab.mysql_source(mysql, "ops", "bank.*"),
        lab.postgres_source(postgres, "crm", "bank")))
    writers = [Writer(mysql, "BEGIN;", "bank"), Writer(postgres, "BEGIN;", "-q", "-d", "bank")]
    reader = Reader(pipeline, ("ops_bank", "crm_public"))
    for thread in writers + [reader]:
        thread.start()

    hits = {name: 0 for name in CLASSES}
    for name, point in plan_kills():
        kill_once(pipeline, name, point, hits)
        if name == "snapshot" and hits[name] == len(CLASSES[name]):
            pipeline.start()  # let the copy complete, so that the rest hits the stream
            pipeline.wait_ready(180)
            pipeline.kill()
    pipeline.start()
    pipeline.wait_ready(180)
    time.sleep(1)
    for writer in writers:
        writer.finish()
    wait_caught_up(pipeline, mysql, postgres)
    reader.stopping = True
    reader.join()

    rows = sum(compare(pipeline, server, schema, table, *options)
               for server, schema, options in ((mysql, "ops_bank", ["bank"]),
                                               (postgres, "crm_public", ["-d", "bank"]))
               for table in TABLES)
    for name, count in hits.items():
        print("    kills, %-15s %d" % (name + ":", count))
    print("    %d kills, %d transactions, %d rows equal, invariant read %d times" % (
        sum(hits.values()), sum(w.transactions for w in writers), rows, reader.reads))
    lab.expect(sum(hits.values()) >= 20, "fewer than twenty kills")
    lab.expect(all(count >= 3 for count in hits.values()), "a class with fewer than three hits")
    lab.expect(reader.reads > 100, "the invariant was hardly read (%d)" % reader.reads)
    lab.expect(not reader.wrong, "the invariant broke: %s" % reader.wrong[:5])
    lab.expect(pipeline.stop() == 0, "a clean stop does not exit 0")


main()
