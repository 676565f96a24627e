# SPDX-License-Identifier: MIT
"""Values on both sides of value_max, copied and streamed: smaller ones are there to the byte, larger
ones stop the pipeline with a message, or become NULL and are counted (on_large_value).

    test_large_values.py KIND
"""
import sys

import lab

MAX = 64 * 1024
kind = sys.argv[1]
postgres = kind.startswith("postgres")
server = lab.Server(kind, "large")
server.sql("CREATE DATABASE large")
options = ("-d", "large") if postgres else ("large",)
schema = "src_public" if postgres else "src_large"
TYPE = "text" if postgres else "LONGTEXT"
server.sql("CREATE TABLE item (id INT PRIMARY KEY, a %s NOT NULL, b %s);" % (TYPE, TYPE), *options)


def source():
    return (lab.postgres_source(server, "src", "large") if postgres
            else lab.mysql_source(server, "src", "large.*"))


def insert(first):
    """Rows at, below and above the limit; several large values in one row."""
    sizes = [(MAX, MAX - 1), (MAX + 1, 3), (10, MAX + 1), (MAX, MAX), (MAX + 9, MAX + 9)]
    server.sql("".join("INSERT INTO item VALUES (%d, repeat('a', %d), repeat('b', %d));" %
                       (first + i, a, b) for i, (a, b) in enumerate(sizes)), *options)
    return [(first + i, a if a <= MAX else None, b if b <= MAX else None)
            for i, (a, b) in enumerate(sizes)]


def rows(pipeline):
    found = pipeline.query("SELECT id, length(a), length(b), a = repeat('a', length(a)), "
                           "b = repeat('b', length(b)) FROM %s.item ORDER BY id" % schema)
    lab.expect(all(value is not False for row in found for value in row[3:]), "other bytes")
    return [tuple(None if v is None else int(v) for v in row[:3]) for row in found]


def nulled(pipeline):
    return sum(int(float(line.rsplit(" ", 1)[1])) for line in pipeline.get("/metrics")[1].split("\n")
               if line.startswith("millrace_values_nulled_total{"))


def stops(pipeline):
    lab.expect(pipeline.wait_end(60) == 3, "exit code: " + pipeline.log_tail())
    for word in ("item", '"a"', str(MAX + 1), "value_max"):
        lab.expect(word in pipeline.log_tail().replace('\\"', '"'), "no %s in: %s" % (
            word, pipeline.log_tail()))


LIMITS = "value_max: 64KiB\non_large_value: %s\n"
expected = insert(1)
pipeline = lab.Pipeline(lab.config(source(), more=LIMITS % "null"))
pipeline.start()
pipeline.wait_ready()
lab.expect(rows(pipeline) == expected, "copied: %s" % rows(pipeline))
lab.expect(nulled(pipeline) == 4, "copied: %d nulled" % nulled(pipeline))
print("    ok   copied: null, counted")
expected += insert(11)
server.sql("UPDATE item SET b = repeat('b', %d) WHERE id = 1;" % (MAX + 5), *options)
expected[0] = (1, MAX, None)
pipeline.wait_for(lambda: rows(pipeline) == expected, "streamed rows")
lab.expect(nulled(pipeline) >= 9, "streamed: %d nulled" % nulled(pipeline))
lab.expect(pipeline.stop() == 0, "exit code")
print("    ok   streamed: null, counted; an update to a large value, too")

server.sql("DELETE FROM item;", *options)
fitting = "INSERT INTO item VALUES (%d, repeat('a', {0}), 'b');".format(MAX)
server.sql(fitting % 1, *options)
if postgres:
    server.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots;", *options)
pipeline = lab.Pipeline(lab.config(source(), more=LIMITS % "stop"))
pipeline.start()
pipeline.wait_ready()
server.sql(fitting % 2, *options)
pipeline.wait_for(lambda: rows(pipeline) == [(1, MAX, 1), (2, MAX, 1)], "rows at the limit")
server.sql("INSERT INTO item VALUES (3, repeat('a', %d), 'b');" % (MAX + 1), *options)
stops(pipeline)
print("    ok   streamed: stop, with table, column, size and cure")
pipeline.remove()
if postgres:
    server.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots;", *options)
pipeline = lab.Pipeline(lab.config(source(), more=LIMITS % "stop"))
pipeline.start()
stops(pipeline)
print("    ok   copied: stop, with table, column, size and cure")
