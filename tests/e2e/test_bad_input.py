# SPDX-License-Identifier: MIT
"""What an operator can get wrong, and what a disk can: each case names the thing and the cure, ends
with the documented exit code or state, and loses nothing.
"""
import glob
import json
import os
import subprocess
import sys
import time

import lab

NATIVE = ("--default-authentication-plugin=mysql_native_password",)
results = []


def case(name):
    """Runs a case; a failed one does not hide the others."""
    def run(function):
        try:
            function()
            results.append((name, None))
        except (Exception, SystemExit) as error:  # pylint: disable=broad-except
            results.append((name, str(error)))
        print("    %s %s%s" % ("ok  " if results[-1][1] is None else "FAIL", name,
                               "" if results[-1][1] is None else ": " + results[-1][1]), flush=True)
        return function
    return run


def must_say(text, *words):
    for word in words:
        lab.expect(word.lower() in text.lower(), "no %r in: %s" % (word, text[-600:]))


def ends(pipeline, code, *words):
    """The program ends by itself with that exit code, and its log says these words."""
    pipeline.start()
    ended = pipeline.wait_end(40)
    lab.expect(ended == code, "exit code %s instead of %s: %s" % (ended, code, pipeline.log_tail()))
    must_say(pipeline.log_tail(), *words)


def check_says(pipeline, code, *words):
    ended, out, err = pipeline.run("check", "-c", pipeline.config)
    lab.expect(ended == code, "check: exit code %s instead of %s: %s%s" % (ended, code, out, err))
    must_say(out + err, *words)


def with_text(text):
    return lab.Pipeline(text)


def rows_in(pipeline, table):
    return int(pipeline.query("SELECT count(*) FROM %s" % table)[0][0])


def replaced(text, old, new):
    lab.expect(old in text, "the test's own text has changed: %r" % old)
    return text.replace(old, new)


maria = lab.Server("mariadb", "bad")
postgres = lab.Server("postgres", "bad")
maria.sql("CREATE DATABASE shop; CREATE TABLE shop.item (id INT PRIMARY KEY, name VARCHAR(60)) ; "
          "INSERT INTO shop.item VALUES (1, 'one'), (2, 'two')")
postgres.sql("CREATE DATABASE shop")
postgres.sql("CREATE TABLE item (id int PRIMARY KEY, name text); INSERT INTO item VALUES (1, 'one');",
             "-d", "shop")
MY = lab.config(lab.mysql_source(maria, "ops", "shop.*"))
PG = lab.config(lab.postgres_source(postgres, "crm", "shop"))


@case("unknown key in the YAML: file, line, nearest key; exit 2")
def _():
    ends(with_text(replaced(MY, "tables:", "tabels:")), 2, "pipeline.yaml:", "tabels", "tables")


@case("wrong value in the YAML; exit 2")
def _():
    ends(with_text(MY.replace("version: 1", "version: 7")), 2, "version")


@case("data_dir cannot be written; exit 2")
def _():
    pipeline = with_text(MY)
    open(os.path.join(pipeline.dir, "file"), "w").close()
    pipeline.write(MY.replace("data_dir: @DATA@", "data_dir: %s/file/data" % pipeline.dir))
    ends(pipeline, 2, "data_dir", "file")


@case("second process on one data_dir; exit 2, the first goes on")
def _():
    pipeline = with_text(MY)
    pipeline.start()
    pipeline.wait_ready()
    code, out, err = pipeline.run("run", "-c", pipeline.config)
    lab.expect(code == 2, "exit code %d: %s%s" % (code, out, err))
    must_say(out + err, "in use", "data_dir")
    lab.expect(rows_in(pipeline, "ops_shop.item") == 2, "the first process was disturbed")
    lab.expect(pipeline.stop() == 0, "the first does not end well")


for which, text, good in (("mariadb", MY, maria), ("postgres", PG, postgres)):
    @case("wrong password, %s; check and run exit 3" % which)
    def _(text=text, good=good):
        wrong = replaced(text, "password: " + good.env["ROOT_PASSWORD"], "password: wrong")
        check_says(with_text(wrong), 3, "password")
        ends(with_text(wrong), 3, "password")

    @case("server not reachable, %s; retried, readyz 503 says why, check exits 3" % which)
    def _(text=text, good=good):
        wrong = replaced(text, ":%d/" % good.port, ":%d/" % lab.free_port())
        pipeline = with_text(wrong)
        pipeline.start()
        pipeline.wait_for(lambda: pipeline.get("/healthz")[0] == 200, "healthz")
        pipeline.wait_for(lambda: pipeline.status()["sources"][0]["state"] == "backoff", "backoff")
        code, body = pipeline.get("/readyz")
        lab.expect(code == 503, "readyz says %d" % code)
        must_say(body, pipeline.status()["sources"][0]["name"])
        lab.expect(pipeline.stop() == 0, "does not end well")
        check_says(with_text(wrong), 3, "127.0.0.1")


@case("missing privilege, mariadb: the exact GRANT; exit 3")
def _():
    maria.sql("CREATE USER low@'127.0.0.1' IDENTIFIED BY 'low'; GRANT SELECT ON shop.* TO low@'127.0.0.1'")
    text = replaced(MY, "mysql://%s@" % maria.env["ROOT_USER"], "mysql://low@")
    text = replaced(text, "password: " + maria.env["ROOT_PASSWORD"], "password: low")
    check_says(with_text(text), 3, "GRANT", "REPLICATION")
    ends(with_text(text), 3, "GRANT", "REPLICATION")


@case("missing privilege, postgres: the exact ALTER ROLE; exit 3")
def _():
    postgres.sql("CREATE ROLE low LOGIN PASSWORD 'low'; GRANT SELECT ON item TO low;", "-d", "shop")
    text = replaced(PG, "postgres://%s@" % postgres.env["ROOT_USER"], "postgres://low@")
    text = replaced(text, "password: " + postgres.env["ROOT_PASSWORD"], "password: low")
    check_says(with_text(text), 3, "REPLICATION", "ALTER ROLE")
    ends(with_text(text), 3, "REPLICATION")


@case("binlog_format=STATEMENT: the statement that cures it; exit 3")
def _():
    server = lab.Server("mariadb", "badfmt")
    server.sql("CREATE DATABASE shop; CREATE TABLE shop.item (id INT PRIMARY KEY)")
    server.sql("SET GLOBAL binlog_format = 'STATEMENT'")
    text = lab.config(lab.mysql_source(server, "ops", "shop.*"))
    check_says(with_text(text), 3, "binlog_format", "ROW")
    ends(with_text(text), 3, "binlog_format", "ROW")
    server.wipe()


@case("wal_level=replica: the statement that cures it; exit 3")
def _():
    server = lab.Server("postgres", "badwal", "-c", "wal_level=replica")
    server.sql("CREATE DATABASE shop")
    server.sql("CREATE TABLE item (id int PRIMARY KEY);", "-d", "shop")
    text = lab.config(lab.postgres_source(server, "crm", "shop"))
    check_says(with_text(text), 3, "wal_level", "logical")
    ends(with_text(text), 3, "wal_level", "logical")
    server.wipe()


@case("slot in use: named, retried, taken up when it is free")
def _():
    first = with_text(PG)
    first.start()
    first.wait_ready()
    second = with_text(PG)  # the same slot, another data_dir
    second.start()
    second.wait_for(lambda: "slot" in (second.status()["sources"][0]["error"] or ""), "slot error", 30)
    must_say(second.status()["sources"][0]["error"], "millrace_e2e_crm")
    lab.expect(second.is_running(), "it gave up")
    second.stop()
    first.stop()
    postgres.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots;")


@case("lost slot: says so and how to go on; exit 3, nothing skipped")
def _():
    pipeline = with_text(PG)
    pipeline.start()
    pipeline.wait_ready()
    pipeline.stop()
    postgres.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots;")
    postgres.sql("INSERT INTO item VALUES (100, 'while the slot was gone');", "-d", "shop")
    ends(pipeline, 3, "slot", "millrace_e2e_crm")
    postgres.sql("DELETE FROM item WHERE id = 100;", "-d", "shop")
    postgres.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots;")


def purge(server):
    """Down to the newest file; a server keeps what an ended reader's thread still has open."""
    for (thread,) in server.sql("SELECT id FROM information_schema.processlist "
                                "WHERE command LIKE 'Binlog Dump%'"):
        server.sql("KILL %s" % thread)
    deadline = time.monotonic() + 30
    while len(server.sql("SHOW BINARY LOGS")) > 1 and time.monotonic() < deadline:
        server.sql("PURGE BINARY LOGS TO '%s'" % server.sql("SHOW BINARY LOGS")[-1][0])
        time.sleep(0.2)
    lab.expect(len(server.sql("SHOW BINARY LOGS")) == 1, "the server does not purge")


@case("purged binlog: position, what the server has, cure; exit 3")
def _():
    pipeline = with_text(MY)
    pipeline.start()
    pipeline.wait_ready()
    pipeline.stop()
    maria.sql("INSERT INTO shop.item VALUES (100, 'x'); FLUSH BINARY LOGS; "
              "INSERT INTO shop.item VALUES (101, 'y'); FLUSH BINARY LOGS")
    purge(maria)
    ends(pipeline, 3, "binlog", "mysql-bin.")
    maria.sql("DELETE FROM shop.item WHERE id >= 100")


def fill_segments(pipeline):
    """Several sealed segments of one source."""
    pipeline.start()
    pipeline.wait_ready()
    for batch in range(12):
        values = ",".join("(%d, REPEAT(SHA2(%d, 512), 1))" % (i, i)
                          for i in range(1000 + batch * 2000, 3000 + batch * 2000))
        maria.sql("INSERT INTO shop.wide VALUES " + values)
    pipeline.wait_for(lambda: rows_in(pipeline, "ops_shop.wide") == 24000, "rows")
    pipeline.stop()
    return sorted(glob.glob(os.path.join(pipeline.data, "stream", "ops", "*.seg")))


SMALL_SEGMENTS = MY.replace("sources:\n", "stream:\n  type: log\n  segment_size: 256KiB\nsources:\n", 1)
maria.sql("CREATE TABLE shop.wide (id INT PRIMARY KEY, text VARCHAR(200))")


def flip(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 0x40]))


@case("corrupt byte in a sealed segment: file and offset are named, nothing is read past it")
def _():
    pipeline = with_text(SMALL_SEGMENTS)
    segments = fill_segments(pipeline)
    lab.expect(len(segments) >= 3, "only %d segments" % len(segments))
    os.remove(os.path.join(pipeline.data, "warehouse.duckdb"))  # so that all must be read again
    for rest in glob.glob(os.path.join(pipeline.data, "warehouse.duckdb.wal")):
        os.remove(rest)
    flip(segments[1], os.path.getsize(segments[1]) // 2)
    pipeline.write(SMALL_SEGMENTS.replace("    tables: [shop.*]", "    tables: [shop.*]\n    snapshot: no_data"))
    pipeline.start()
    code = pipeline.wait_end(40)
    lab.expect(code in (1, 4), "exit code %s: %s" % (code, pipeline.log_tail()))
    must_say(pipeline.log_tail(), os.path.basename(segments[1]))
    maria.sql("DELETE FROM shop.wide")


@case("torn tail: cut, told, resumed; no row lost")
def _():
    pipeline = with_text(SMALL_SEGMENTS)
    pipeline.start()
    pipeline.wait_ready()
    maria.sql("INSERT INTO shop.wide SELECT seq, 'torn' FROM seq_50000_to_50999", "shop")
    pipeline.wait_for(lambda: rows_in(pipeline, "ops_shop.wide") == 1000, "rows")
    time.sleep(1.5)  # idle: nothing is written any more
    used = pipeline.status()["sources"][0]["stream"]["size_bytes"]
    pipeline.kill()
    segments = glob.glob(os.path.join(pipeline.data, "stream", "ops", "*.seg"))
    lab.expect(len(segments) == 1, "one segment was expected")
    newest = segments[0]
    with open(newest, "r+b") as file:
        file.seek(used)
        file.write(os.urandom(300))  # what a crash in the middle of a write leaves
    maria.sql("INSERT INTO shop.wide SELECT seq, 'after' FROM seq_60000_to_60999", "shop")
    pipeline.start()
    pipeline.wait_for(lambda: rows_in(pipeline, "ops_shop.wide") == 2000, "rows after the tear")
    lab.expect(pipeline.stop() == 0, "does not end well")
    maria.sql("DELETE FROM shop.wide")


for which, server, text in (("mariadb", maria, MY), ("postgres", postgres, PG)):
    @case("a value larger than value_max, %s: table and column are named; exit 3" % which)
    def _(which=which, server=server, text=text):
        options = ("shop",) if which == "mariadb" else ("-d", "shop")
        server.sql("CREATE TABLE note (id INT PRIMARY KEY, body %s);" %
                   ("LONGTEXT" if which == "mariadb" else "text"), *options)
        pipeline = with_text(text.replace("version: 1\n", "version: 1\nvalue_max: 1MiB\n"))
        pipeline.start()
        pipeline.wait_ready()
        server.sql("INSERT INTO note VALUES (1, REPEAT('x', 1000000));", *options)  # fits
        table = ("ops_shop" if which == "mariadb" else "crm_public") + ".note"
        pipeline.wait_for(lambda: rows_in(pipeline, table) == 1, "the value that fits")
        server.sql("INSERT INTO note VALUES (2, REPEAT('x', 1100000));", *options)
        code = pipeline.wait_end(40)
        lab.expect(code == 3, "exit code %s: %s" % (code, pipeline.log_tail()))
        must_say(pipeline.log_tail(), "note", "body", "value_max")
        server.sql("DROP TABLE note;", *options)
        if which == "postgres":
            postgres.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots;")

    @case("a source table dropped while running, %s: the others go on" % which)
    def _(which=which, server=server, text=text):
        options = ("shop",) if which == "mariadb" else ("-d", "shop")
        source = "ops_shop" if which == "mariadb" else "crm_public"
        server.sql("CREATE TABLE gone (id INT PRIMARY KEY);", *options)
        pipeline = with_text(text)
        pipeline.start()
        pipeline.wait_ready()
        server.sql("INSERT INTO gone VALUES (1); INSERT INTO gone VALUES (2);", *options)
        server.sql("DROP TABLE gone;", *options)
        server.sql("INSERT INTO item VALUES (500, 'after the drop');", *options)
        pipeline.wait_for(lambda: pipeline.query(
            "SELECT count(*) FROM %s.item WHERE id = 500" % source)[0][0] == 1, "rows after the drop")
        if which == "mariadb":  # the binlog tells of the drop, and on_schema_change: evolve follows it
            left = pipeline.query("SELECT count(*) FROM information_schema.tables WHERE table_name = 'gone'")
            lab.expect(left[0][0] == 0, "the dropped table is still there")
        else:  # PostgreSQL's log does not tell of it
            lab.expect(rows_in(pipeline, source + ".gone") == 2, "the dropped table's rows are not there")
        lab.expect(pipeline.stop() == 0, "does not end well")
        server.sql("DELETE FROM item WHERE id = 500;", *options)


failed = [name for name, why in results if why is not None]
print("    %d cases, %d failed" % (len(results), len(failed)))
sys.exit(1 if failed else 0)
