# SPDX-License-Identifier: MIT
"""One table at a time, on a real server, while writers go on: the verbs of docs/TABLES.md.

    test_tables.py KIND     mariadb, mysql80 or postgres

One server, one pipeline. `big` has 200,000 rows; `live` is written to all along and must never fall
behind; `plain` has no key; `late` and `extra` come later.
"""
import sys
import threading
import time

import lab

KIND = sys.argv[1]
IS_PG = KIND.startswith("postgres")
ROWS = 200000
LAG_MS_MAX = 5000
SPACE = "public" if IS_PG else "bank"
SOURCE = "one"
WAREHOUSE = "%s_%s" % (SOURCE, SPACE)
DATABASE = ["-d", "bank"] if IS_PG else ["bank"]


def topic(table):
    return "%s.%s.%s" % (SOURCE, SPACE, table)


class Writer(threading.Thread):
    """Small transactions over `big`, `live` and `plain`, through one client."""

    def __init__(self, server):
        super().__init__(daemon=True)
        import subprocess
        self.client = subprocess.Popen(server.client(*DATABASE), stdin=subprocess.PIPE,
                                       stdout=subprocess.DEVNULL, text=True)
        self.stopping, self.count, self.error = False, 0, None

    def run(self):
        begin = "BEGIN;" if IS_PG else "START TRANSACTION;"
        try:
            while not self.stopping:
                n = self.count
                key = n * 7919 % ROWS + 1
                self.client.stdin.write(
                    begin +
                    "UPDATE big SET amount = amount + 1, note = 'seen %d' WHERE id = %d;" % (n, key) +
                    "UPDATE live SET amount = %d WHERE id = %d;" % (n, n % 50 + 1) +
                    "INSERT INTO plain VALUES (%d, 'row');" % (n % 100) +
                    "COMMIT;" + begin +
                    "DELETE FROM big WHERE id = %d;" % (ROWS - n) +
                    "INSERT INTO big VALUES (%d, 1, 'new');" % (ROWS + n + 1) +
                    "UPDATE big SET id = id + 1000000 WHERE id = %d;" % (n * 13 % 1000 + 1) +
                    "COMMIT;\n")
                self.client.stdin.flush()
                self.count += 1
                time.sleep(0.01)
        except OSError as error:
            self.error = error

    def finish(self):
        self.stopping = True
        self.join()
        self.client.stdin.close()
        lab.expect(self.client.wait() == 0 and self.error is None, "the writer failed")


class Watch(threading.Thread):
    """Looks at the warehouse all along: `big` is never empty or half, `live` never late."""

    def __init__(self, pipeline):
        super().__init__(daemon=True)
        self.pipeline, self.stopping = pipeline, False
        self.least, self.lag_ms, self.looks = ROWS, 0, 0
        self.is_paused = False

    def run(self):
        while not self.stopping:
            try:
                rows = self.pipeline.query('SELECT count(*) FROM "%s".big' % WAREHOUSE)
                self.least = min(self.least, int(rows[0][0]))
                lags = [s["lag_ms"] for s in self.pipeline.status()["sinks"]]
                self.lag_ms = max([self.lag_ms] + [l for l in lags if l is not None])
                self.looks += 1
            except (OSError, RuntimeError, ValueError, KeyError, IndexError):
                pass  # down: some cases kill it
            time.sleep(0.05)


def setup(server):
    server.sql("CREATE DATABASE bank;")
    number = "bigint" if IS_PG else "BIGINT"
    server.sql("".join((
        "CREATE TABLE big (id %s PRIMARY KEY, amount %s NOT NULL, note varchar(40));" % (number, number),
        "CREATE TABLE live (id %s PRIMARY KEY, amount %s NOT NULL);" % (number, number),
        "CREATE TABLE plain (id %s, note varchar(40));" % number,
        "CREATE TABLE extra (id %s PRIMARY KEY, amount %s NOT NULL);" % (number, number))), *DATABASE)
    if IS_PG:
        server.sql("ALTER TABLE plain REPLICA IDENTITY FULL;"
                   "INSERT INTO big SELECT i, 1000, 'row ' || i FROM generate_series(1, %d) i;"
                   "INSERT INTO live SELECT i, 0 FROM generate_series(1, 50) i;"
                   "INSERT INTO extra SELECT i, i FROM generate_series(1, 100) i;" % ROWS, *DATABASE)
        return
    depth = "max_recursive_iterations" if KIND == "mariadb" else "cte_max_recursion_depth"
    numbers = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
    server.sql("SET SESSION %s = 10000000;" % depth +
               "INSERT INTO big %s SELECT i, 1000, CONCAT('row ', i) FROM n;" % (numbers % ROWS) +
               "INSERT INTO live %s SELECT i, 0 FROM n;" % (numbers % 50) +
               "INSERT INTO extra %s SELECT i, i FROM n;" % (numbers % 100) +
               "ANALYZE TABLE big;", *DATABASE)


def make_pipeline(server):
    more = "    exclude: [%s.extra]\n" % SPACE
    if IS_PG:
        source = lab.postgres_source(server, SOURCE, "bank", more=more + "    snapshot_piece: 1MiB\n")
    else:
        source = lab.mysql_source(server, SOURCE, "bank.*", more=more + "    snapshot_piece_rows: 20000\n")
    return lab.Pipeline(lab.config(source))


def act(pipeline, verb, table, *flags, code=0):
    found, out, err = pipeline.run("table", verb, topic(table), "--url", pipeline.url, *flags,
                                   timeout=90)
    lab.expect(found == code, "table %s %s: exit code %d\n%s%s%s" %
               (verb, table, found, out, err, pipeline.log_tail()))
    return out + err


def apart(pipeline, table):
    return [entry for source in pipeline.status()["sources"] for entry in source["tables_apart"]
            if entry["name"] == "%s.%s" % (SPACE, table)]


def wait_joined(pipeline, table, seconds=60):
    pipeline.wait_for(lambda: not apart(pipeline, table), "%s to go with the stream" % table, seconds)


def sums(server, table, columns):
    return server.sql("SELECT count(*), %s FROM %s;" % (columns, table), *DATABASE)[0]


def warehouse_sums(pipeline, table, columns):
    rows = pipeline.query('SELECT count(*), %s FROM "%s"."%s"' % (columns, WAREHOUSE, table))
    return [str(value) for value in rows[0]]


COLUMNS = {"big": "sum(id), sum(amount), sum(length(note))", "live": "sum(id), sum(amount)",
           "plain": "sum(id), sum(length(note))", "extra": "sum(id), sum(amount)"}


def wait_equal(pipeline, server, *tables):
    for table in tables:
        pipeline.wait_for(lambda: warehouse_sums(pipeline, table, COLUMNS[table]) ==
                          [str(v) for v in sums(server, table, COLUMNS[table])],
                          "equal rows of %s" % table, 60)
    if "big" in tables:  # row by row, too
        wanted = server.sql("SELECT id, amount, note FROM big ORDER BY id;", *DATABASE)
        found = []
        while len(found) < len(wanted):
            page = pipeline.query('SELECT id, amount, note FROM "%s".big WHERE id > %s ORDER BY id' %
                                  (WAREHOUSE, found[-1][0] if found else "-1"))
            if not page:
                break
            found += page
        lab.expect([[str(v) for v in row] for row in found] == wanted, "big differs in its rows")


def logged(pipeline, event):
    """The last line of the log about an event, as a dictionary of its fields; None."""
    found = None
    with open(pipeline.log) as log:
        for line in log:
            if '"event":"%s"' % event in line or " %s " % event in line or "event=%s" % event in line:
                found = line
    return found


def number_of(line, field):
    import re
    match = re.search(r'"?%s"?[=:] ?"?(\d+)' % field, line or "")
    lab.expect(match is not None, "no %s in the log line %r" % (field, line))
    return int(match.group(1))


def copied_while_others_go_on(pipeline, server, writer):
    before = writer.count
    act(pipeline, "snapshot", "big", "--wait")
    act(pipeline, "snapshot", "plain", "--wait")
    lab.expect(writer.count > before, "the writer stood still")
    lab.expect(logged(pipeline, "table.copied") is not None, "nothing was copied")


def first_copy_goes_on_with_pieces(pipeline):
    pipeline.start(crash_point="snapshot.piece:5")
    lab.expect(pipeline.wait_end(60) == -9, "the crash point was not passed")
    pipeline.start()
    pipeline.wait_ready()
    line = logged(pipeline, "snapshot.resumed")
    pieces, left = number_of(line, "pieces"), number_of(line, "pieces_left")
    lab.expect(0 < left < pieces, "%d of %d pieces of the first copy were read again" %
               (left, pieces))


def killed_in_the_middle_goes_on_with_pieces(pipeline):
    pipeline.stop()
    pipeline.start(crash_point="snapshot.piece:4")
    pipeline.wait_ready()
    act(pipeline, "snapshot", "big")
    lab.expect(pipeline.wait_end(60) == -9, "the crash point was not passed")
    pipeline.start()
    pipeline.wait_ready()
    wait_joined(pipeline, "big")
    line = logged(pipeline, "snapshot.resumed")
    pieces, left = number_of(line, "pieces"), number_of(line, "pieces_left")
    lab.expect(0 < left < pieces, "%d of %d pieces were copied again" % (left, pieces))
    rows = number_of(logged(pipeline, "snapshot.table_finished"), "rows")
    lab.expect(rows < ROWS, "%d rows were read after the kill: all of them" % rows)
    print("    %d of %d pieces were left, %d rows read again" % (left, pieces, rows))


def killed_before_it_joins(pipeline):
    pipeline.stop()
    pipeline.start(crash_point="table.before_join:1")
    pipeline.wait_ready()
    act(pipeline, "snapshot", "big")
    lab.expect(pipeline.wait_end(60) == -9, "the crash point was not passed")
    pipeline.start()
    pipeline.wait_ready()
    wait_joined(pipeline, "big")


def paused_waits_and_comes(pipeline):
    act(pipeline, "pause", "live")
    lab.expect([e["state"] for e in apart(pipeline, "live")] == ["paused"], "live is not paused")
    still = warehouse_sums(pipeline, "live", COLUMNS["live"])
    pipeline.stop()
    pipeline.start()
    pipeline.wait_ready()
    time.sleep(0.3)
    lab.expect([e["state"] for e in apart(pipeline, "live")] == ["paused"], "a restart resumed it")
    lab.expect(warehouse_sums(pipeline, "live", COLUMNS["live"]) == still, "a paused table moved")
    stream = pipeline.status()["sources"][0]["stream"]
    lab.expect(stream["pinned_sequence"] is not None and
               stream["released_sequence"] <= stream["pinned_sequence"], "retention is not pinned")
    act(pipeline, "resume", "live", "--wait")
    lab.expect(pipeline.status()["sources"][0]["stream"]["pinned_sequence"] is None, "still pinned")


def added_and_dropped(pipeline, server):
    lab.expect("extra" not in str(pipeline.query("SELECT table_name FROM duckdb_tables()")),
               "extra was captured without being asked for")
    act(pipeline, "add", "extra", "--wait")
    server.sql("INSERT INTO extra VALUES (1001, 1);", *DATABASE)
    wait_equal(pipeline, server, "extra")
    pipeline.stop()
    server.sql("INSERT INTO extra VALUES (1002, 2); UPDATE extra SET amount = 7 WHERE id = 3;", *DATABASE)
    pipeline.start()
    pipeline.wait_ready()
    wait_equal(pipeline, server, "extra")
    act(pipeline, "drop", "extra")
    still = warehouse_sums(pipeline, "extra", COLUMNS["extra"])
    server.sql("INSERT INTO extra VALUES (1003, 3);", *DATABASE)
    server.sql("UPDATE live SET amount = 0 WHERE id = 50;", *DATABASE)
    time.sleep(0.5)
    lab.expect(warehouse_sums(pipeline, "extra", COLUMNS["extra"]) == still, "a dropped table moved")
    out = act(pipeline, "snapshot", "extra", code=2)
    lab.expect("add it" in out, "no cure for a dropped table: " + out)
    act(pipeline, "add", "extra", "--wait")
    wait_equal(pipeline, server, "extra")
    act(pipeline, "drop", "extra", "--purge")
    lab.expect("extra" not in str(pipeline.query("SELECT table_name FROM duckdb_tables()")),
               "a purged table is still there")


def rewound(pipeline):
    first = pipeline.status()["sources"][0]["stream"]["first_sequence"]
    act(pipeline, "rewind", "live", "--from", str(first), "--wait")
    act(pipeline, "rewind", "live", "--from", "2020-01-01T00:00:00Z", "--wait")
    out = act(pipeline, "rewind", "live", "--from", "999999999", code=2)
    lab.expect("holds the sequences" in out, "a sequence that is not there: " + out)
    lab.expect("has no key" in act(pipeline, "rewind", "plain", "--from", str(first), code=2),
               "a table without a key was rewound")


def some_rows(pipeline):
    act(pipeline, "snapshot", "big", "--where", "id > 150000 AND id <= 151000", "--wait")
    rows = number_of(logged(pipeline, "snapshot.table_finished"), "rows")
    lab.expect(900 <= rows <= 1000, "%d rows were copied for a condition on 1000" % rows)
    for wrong in ("id > 1; DROP TABLE big", "id > (1", "id > 1 -- all", ""):
        act(pipeline, "snapshot", "big", "--where", wrong, code=2)
    out = act(pipeline, "snapshot", "plain", "--where", "id = 1", "--wait", code=3)
    lab.expect("has no key" in out, "a part of a keyless table: " + out)
    out = act(pipeline, "snapshot", "nothing", "--wait", code=3)
    lab.expect("no table" in out, "a table that is not there: " + out)


def the_doctor_says_why(pipeline, server):
    import json
    server.sql("CREATE VIEW seen AS SELECT * FROM live;", *DATABASE)
    code, out, err = pipeline.run("check", "-c", pipeline.config, "--format", "json")
    found = json.loads(out)
    said = {f["what"]: f["detail"] for f in found["sources"][0]["findings"]
            if f["what"].startswith("table ") and "captured" in f["detail"]}
    prefix = "table %s." % SPACE
    lab.expect(said[prefix + "live"].startswith("captured"), "live: %r" % said)
    lab.expect("no primary key" in said[prefix + "plain"], "plain: %r" % said)
    lab.expect("dropped by name" in said[prefix + "extra"], "extra: %r" % said)
    lab.expect("a view" in said[prefix + "seen"], "seen: %r" % said)
    lab.expect(any("retention" in f["what"] for f in found["sources"][0]["findings"]),
               "nothing about retention: " + out)
    code, body = pipeline.get("/api/v1/sources/%s/findings" % SOURCE)
    lab.expect(code == 200 and prefix + "live" in body, "findings over HTTP: %s" % body[:300])
    lab.expect(pipeline.get("/api/v1/sources/nobody/findings")[0] == 404, "an unknown source")


def main():
    started = time.monotonic()
    server = lab.Server(KIND, "tables")
    setup(server)
    pipeline = make_pipeline(server)
    first_copy_goes_on_with_pieces(pipeline)
    writer, watch = Writer(server), Watch(pipeline)
    writer.start()
    watch.start()

    def case(name, run):
        begun = time.monotonic()
        run()
        print("  %s: %.1f s" % (name, time.monotonic() - begun), flush=True)

    case("copied anew while others go on",
         lambda: copied_while_others_go_on(pipeline, server, writer))
    lab.expect(watch.lag_ms < LAG_MS_MAX, "others were %d ms late" % watch.lag_ms)
    case("killed in the middle: goes on with pieces",
         lambda: killed_in_the_middle_goes_on_with_pieces(pipeline))
    case("killed before it joins", lambda: killed_before_it_joins(pipeline))
    case("paused: waits, and comes", lambda: paused_waits_and_comes(pipeline))
    case("added and dropped", lambda: added_and_dropped(pipeline, server))
    case("the doctor says why", lambda: the_doctor_says_why(pipeline, server))
    case("rewound", lambda: rewound(pipeline))
    case("some rows", lambda: some_rows(pipeline))
    writer.finish()
    watch.stopping = True
    watch.join()
    lab.expect(watch.looks > 20 and watch.least > ROWS * 9 // 10,
               "readers saw %d rows of big" % watch.least)
    case("rows equal at the end", lambda: wait_equal(pipeline, server, "big", "live", "plain"))
    lab.expect(pipeline.stop() == 0, "the end was not clean:\n" + pipeline.log_tail())
    print("%s: %d writes, %d looks, others at most %d ms late, %.0f s" % (
        KIND, writer.count, watch.looks, watch.lag_ms, time.monotonic() - started))


main()
