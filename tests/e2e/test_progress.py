# SPDX-License-Identifier: MIT
"""Transactions in progress through the whole program, from PostgreSQL to the warehouse: nothing of them
is visible before they commit, and all of it afterwards, whenever the program is killed. With prepared
ones, savepoints, logical messages, TOAST values that updates leave out, and partitions.
"""
import os
import time

import lab

OPTIONS = ("-c", "logical_decoding_work_mem=64kB", "-c", "max_prepared_transactions=10")
SCHEMA = """
CREATE TABLE t (id int PRIMARY KEY, v text, n int);
CREATE TABLE toasted (id int PRIMARY KEY, big text, n int);
ALTER TABLE toasted ALTER big SET STORAGE EXTERNAL;
CREATE TABLE whole (id int PRIMARY KEY, big text, n int);
ALTER TABLE whole REPLICA IDENTITY FULL;
ALTER TABLE whole ALTER big SET STORAGE EXTERNAL;
CREATE TABLE by_index (id int PRIMARY KEY, k int NOT NULL UNIQUE, big text);
ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_k_key;
ALTER TABLE by_index ALTER big SET STORAGE EXTERNAL;
CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (100) TO (200);
CREATE TABLE made (id int PRIMARY KEY, g int GENERATED ALWAYS AS (id * 2) STORED, z int);
INSERT INTO toasted SELECT i, repeat(chr(96 + i), 3000), 0 FROM generate_series(1, 9) AS i;
INSERT INTO whole SELECT i, repeat(chr(96 + i), 3000), 0 FROM generate_series(1, 9) AS i;
INSERT INTO by_index SELECT i, i, repeat(chr(96 + i), 3000) FROM generate_series(1, 9) AS i;
INSERT INTO parted SELECT i, 'copied' FROM generate_series(1, 99) AS i;
INSERT INTO made (id, z) VALUES (1, 10);
"""
# Each line is a transaction of its own, some of which fall into one batch.
CHANGES = """
UPDATE toasted SET n = n + 1;
UPDATE toasted SET id = id + 100 WHERE id <= 3;
UPDATE toasted SET n = n + 1; UPDATE toasted SET n = n + 1 WHERE id > 100;
BEGIN; UPDATE toasted SET id = 201, n = 7 WHERE id = 101; UPDATE toasted SET n = 8 WHERE id = 201; COMMIT;
BEGIN; DELETE FROM toasted WHERE id = 4; INSERT INTO toasted VALUES (4, repeat('new', 1000), 1); UPDATE toasted SET n = 2 WHERE id = 4; COMMIT;
UPDATE toasted SET big = NULL WHERE id = 5; UPDATE toasted SET n = 99 WHERE id = 5;
UPDATE whole SET n = n + 1; UPDATE whole SET id = id + 10 WHERE id < 4; DELETE FROM whole WHERE id = 5;
UPDATE by_index SET k = k + 50; UPDATE by_index SET id = id + 5 WHERE id > 8; DELETE FROM by_index WHERE k = 52;
UPDATE parted SET id = id + 100 WHERE id < 20; INSERT INTO parted_1 VALUES (5, 'by itself');
DELETE FROM parted WHERE id BETWEEN 60 AND 70;
INSERT INTO made (id, z) VALUES (2, 20); UPDATE made SET z = 11 WHERE id = 1;
SELECT pg_logical_emit_message(true, 'app', 'a message'); SELECT pg_logical_emit_message(false, 'app', 'another');
"""
DIGESTS = {
    "t": "count(*), coalesce(sum(id), 0), coalesce(sum(n), 0), coalesce(sum(length(v)), 0)",
    "toasted": "count(*), sum(id), sum(n), min(big), max(big), sum(length(big))",
    "whole": "count(*), sum(id), sum(n), min(big), max(big), sum(length(big))",
    "by_index": "count(*), sum(id), sum(k), min(big), max(big), sum(length(big))",
    "parted": "count(*), sum(id), min(v), max(v), 0",
    "made": "count(*), sum(id), sum(z), 0",
}


class Session:
    """A connection that stays: psql with its statements on a pipe."""

    def __init__(self, server):
        import subprocess
        self.process = subprocess.Popen(server.client("-d", "shop"), stdin=subprocess.PIPE, text=True,
                                        stdout=subprocess.PIPE)

    def run(self, sql):
        self.process.stdin.write(sql + ";\nSELECT 'done';\n")
        self.process.stdin.flush()
        while self.process.stdout.readline().strip() != "done":
            pass

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def digests(rows_of):
    return {table: [str(cell) for cell in rows_of("SELECT %s FROM %s" % (what, table))[0]]
            for table, what in DIGESTS.items()}


def spool_bytes(pipeline):
    folder = os.path.join(pipeline.data, "spool", "pg")
    return sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder))


def fill(session, start, end):
    session.run("INSERT INTO t SELECT i, repeat('x', 200), 1 FROM generate_series(%d, %d) AS i"
                % (start, end))


def main():
    server = lab.Server("postgres", "progress", *OPTIONS)
    server.sql("CREATE DATABASE shop")
    server.sql(SCHEMA, "-d", "shop")
    pipeline = lab.Pipeline(lab.config(lab.postgres_source(server, "pg", "shop",
                                                           more="    two_phase: true\n")))

    def visible(table="t"):
        return pipeline.query("SELECT count(*) FROM pg_public.%s" % table)[0][0]

    def expect_equal(what):
        source = digests(lambda sql: server.sql(sql, "-d", "shop"))
        target = lambda: digests(lambda sql: pipeline.query(sql.replace(" FROM ", " FROM pg_public.")))
        try:
            pipeline.wait_for(lambda: target() == source, what, 30)
        except RuntimeError as error:
            lab.expect(False, "%s: source %s\ntarget %s\n%s" % (what, source, target(), error))
        print("    " + what)

    pipeline.start()
    pipeline.wait_ready(30)
    expect_equal("copied")
    long, prepared = Session(server), Session(server)
    long.run("BEGIN")
    fill(long, 1, 6000)
    long.run("SAVEPOINT a")
    fill(long, 6001, 9000)
    pipeline.wait_for(lambda: spool_bytes(pipeline) > 1000000, "spooled bytes")
    server.sql(CHANGES, "-d", "shop")
    expect_equal("changes beside a transaction in progress")
    prepared.run("BEGIN")
    fill(prepared, 20001, 24000)
    prepared.run("PREPARE TRANSACTION 'held'")
    server.sql("INSERT INTO t VALUES (50000, 'small', 2)", "-d", "shop")
    pipeline.wait_for(lambda: visible() == 1, "the small one")
    pipeline.kill()
    pipeline.start()
    pipeline.wait_ready(30)
    # The prepared one comes again at once, the long one when it goes on.
    pipeline.wait_for(lambda: spool_bytes(pipeline) > 400000, "spooled bytes after a crash")
    lab.expect(visible() == 1, "what has not committed is visible: %d" % visible())
    long.run("ROLLBACK TO SAVEPOINT a")
    fill(long, 9001, 10000)
    long.run("COMMIT")
    pipeline.wait_for(lambda: visible() > 1, "the long one")
    lab.expect(visible() == 7001, "not all, or not alone: %d" % visible())
    pipeline.kill()
    pipeline.start()
    server.sql("COMMIT PREPARED 'held'", "-d", "shop")
    expect_equal("committed and prepared after two crashes")
    lab.expect(spool_bytes(pipeline) == 0, "the spool is not empty")
    # Killed at any moment while large transactions commit, are applied, or go on.
    for round in range(4):
        long.run("BEGIN; UPDATE t SET n = n + 1")
        fill(long, 100000 + round * 10000, 100000 + round * 10000 + 4999)
        long.run("COMMIT")
        time.sleep(0.15 * round)
        pipeline.kill()
        pipeline.start()
    expect_equal("after four more")
    lab.expect(pipeline.stop() == 0, "does not end well")
    long.close()
    prepared.close()


main()
