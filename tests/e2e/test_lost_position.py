# SPDX-License-Identifier: MIT
"""What follows our position is gone: a slot that was dropped or outrun, a binlog that was purged, a
stream that retention_force has shortened. By policy the source stops with the cure, or its tables are
copied anew while other sources go on, and rows deleted meanwhile vanish from the target.
"""
import time

import lab

POSTGRES, MYSQL, MARIA = "pg", "my", "maria"
SERVERS = {}


def start_servers():
    kinds = {POSTGRES: ("postgres", "-c", "max_wal_size=32MB", "-c", "min_wal_size=32MB"),
             MYSQL: ("mysql80", "--gtid-mode=ON", "--enforce-gtid-consistency=ON"),
             MARIA: ("mariadb",)}

    def start(name, kind, *options):
        SERVERS[name] = lab.Server(kind, "lost", *options)

    lab.start_all([(start, (name, *how)) for name, how in kinds.items()])


def sql(name, text):
    server = SERVERS[name]
    return server.sql(text, "-d", "shop") if name == POSTGRES else server.sql("USE shop;" + text)


def fill():
    for name, server in SERVERS.items():
        server.sql("CREATE DATABASE shop")
        sql(name, "CREATE TABLE item (id INT PRIMARY KEY, price INT);"
                  "CREATE TABLE visit (page VARCHAR(20), seconds INT);"
                  + ("ALTER TABLE visit REPLICA IDENTITY FULL;" if name == POSTGRES else "") +
                  "INSERT INTO item VALUES (1, 10), (2, 20), (3, 30);"
                  "INSERT INTO visit VALUES ('a', 1), ('a', 1), ('b', 2);")


def target(name, table):
    return "%s_%s.%s" % (name, "public" if name == POSTGRES else "shop", table)


def rows_are_equal(pipeline, name):
    for table in ("item", "visit"):
        theirs = sorted(tuple(row) for row in sql(name, "SELECT * FROM %s" % table))
        ours = pipeline.query("SELECT * FROM " + target(name, table))
        if theirs != sorted(tuple(str(cell) for cell in row) for row in ours):
            return False
    return True


def wait_equal(pipeline, what, names=None):
    for name in names or SERVERS:
        pipeline.wait_for(lambda name=name: rows_are_equal(pipeline, name),
                          "%s: the rows of \"%s\"" % (what, name), 30)


def lose(name):
    """Takes away what follows the position of a pipeline that does not run."""
    if name == POSTGRES:
        sql(name, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
        return
    server = SERVERS[name]
    for thread in server.sql("SELECT id FROM information_schema.processlist "
                             "WHERE command LIKE 'Binlog Dump%'"):
        server.sql("KILL %s" % thread[0])  # a reader that has gone still holds its file
    sql(name, "FLUSH BINARY LOGS; FLUSH BINARY LOGS")
    last = server.sql("SHOW BINARY LOGS")[-1][0]
    for _ in range(100):
        sql(name, "PURGE BINARY LOGS TO '%s'" % last)
        if server.sql("SHOW BINARY LOGS")[0][0] == last:
            return
        time.sleep(0.1)
    raise RuntimeError("%s keeps its binlogs" % name)


def change(name, round):
    """An insert, a delete and an update that the log does not tell any more, or still does."""
    sql(name, "INSERT INTO item VALUES (%d, %d); DELETE FROM item WHERE id = %d;"
              "UPDATE item SET price = price + 1 WHERE id = 3;"
              "DELETE FROM visit WHERE page = 'b'; INSERT INTO visit VALUES ('a', 1), ('c', %d)"
        % (100 + round, round, round, round))


def config(policy, more=""):
    line = "    on_lost_position: %s\n" % policy
    return lab.config(lab.mysql_source(SERVERS[MYSQL], MYSQL, "shop.*", line),
                      lab.mysql_source(SERVERS[MARIA], MARIA, "shop.*", line),
                      lab.postgres_source(SERVERS[POSTGRES], POSTGRES, "shop", "public.*", line),
                      more=more)


def count_log(pipeline, event):
    with open(pipeline.log) as log:
        return log.read().count(event)


def check_stop(pipeline):
    """Each source by itself, so that its own message is seen."""
    for name in SERVERS:
        make = lab.postgres_source if name == POSTGRES else lab.mysql_source
        tables = ["shop", "public.*"] if name == POSTGRES else ["shop.*"]
        pipeline.write(lab.config(make(SERVERS[name], name, *tables)))
        pipeline.start()
        lab.expect(pipeline.wait_end(30) == 3, "%s: a lost position ends with exit code 3" % name)
        lab.expect("on_lost_position: snapshot" in pipeline.log_tail(6),
                   "%s: the cure is not told:\n%s" % (name, pipeline.log_tail(6)))


def check_recopy(pipeline):
    pipeline.write(config("snapshot"))
    pipeline.start()
    pipeline.wait_ready(60)
    wait_equal(pipeline, "copied anew")
    lab.expect(count_log(pipeline, "source.position_lost") == 3, "three positions were lost")
    for name in SERVERS:
        change(name, 2)
    wait_equal(pipeline, "streamed after the copy")


def check_crashes(pipeline):
    """The program dies between the steps of starting anew; what is lost stays known to be lost."""
    for round, point in enumerate(("journal.before_sync:1", "snapshot.rows:2"), 3):
        lab.expect(pipeline.stop() == 0, "does not end well")
        for name in SERVERS:
            change(name, round)
            lose(name)
            change(name, round + 50)
        pipeline.start(point)
        pipeline.process.wait(timeout=60)
        pipeline.start()
        pipeline.wait_ready(60)
        wait_equal(pipeline, "after a crash at " + point)


def check_running_loss(pipeline):
    """The slot is outrun while its reader is cut off; the others go on."""
    before = count_log(pipeline, "source.position_lost")
    for _ in range(50):
        try:
            sql(POSTGRES, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots;"
                          "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
            break
        except RuntimeError:
            time.sleep(0.02)
    for name in SERVERS:
        change(name, 90)
    wait_equal(pipeline, "lost while running")
    pipeline.wait_for(lambda: count_log(pipeline, "source.position_lost") == before + 1,
                      "one more lost position")


def check_gap(pipeline):
    """The stream goes on without a sink, and deletes what that sink has not applied."""
    lab.expect(pipeline.stop() == 0, "does not end well")
    stream = "stream: {retention: 0s, retention_size: 256KiB, retention_force: true}\n"
    pipeline.write(config("snapshot", stream).replace("type: duckdb", "type: discard")
                   .replace("    path: @DATA@/warehouse.duckdb\n", ""))
    pipeline.start()
    for i in range(6):
        sql(POSTGRES, "INSERT INTO visit SELECT md5(g::text)::varchar(20), g "
                      "FROM generate_series(%d, %d) AS g" % (i * 4000, i * 4000 + 3999))
    pipeline.wait_for(lambda: first_sequence(pipeline) > 3 + last_committed(pipeline),
                      "deletion of segments", 30)
    lab.expect(pipeline.stop() == 0, "does not end well")
    for policy in ("stop", "snapshot"):
        pipeline.write(config(policy))
        pipeline.start()
        if policy == "stop":
            pipeline.wait_for(lambda: sink_state(pipeline) == "gap", "the state gap", 30)
            change(MYSQL, 70)
            sql(POSTGRES, "DELETE FROM visit WHERE length(page) = 20")
            wait_equal(pipeline, "beside a gap", [MYSQL])
            lab.expect(pipeline.stop() == 0, "does not end well")
    pipeline.wait_ready(60)
    wait_equal(pipeline, "after a gap")
    lab.expect(sink_state(pipeline) == "streaming", "the gap is closed")


def of_source(entries, name):
    return next(entry for entry in entries if entry["name"] == name)


def first_sequence(pipeline):
    return of_source(pipeline.status()["sources"], POSTGRES)["stream"]["first_sequence"]


def last_committed(pipeline):
    """What the warehouse had when it was left: before the six large transactions."""
    return of_source(pipeline.status()["sources"], POSTGRES)["stream"]["last_sequence"] - 6


def sink_state(pipeline):
    return of_source(pipeline.status()["sinks"][0]["sources"], POSTGRES)["state"]


def main():
    start_servers()
    fill()
    pipeline = lab.Pipeline(config("stop"))
    pipeline.start()
    pipeline.wait_ready(60)
    wait_equal(pipeline, "first copy")
    lab.expect(pipeline.stop() == 0, "does not end well")
    for name in SERVERS:
        change(name, 1)
        lose(name)
    check_stop(pipeline)
    print("    policy stop: exit code 3 and the cure, three servers")
    check_recopy(pipeline)
    print("    policy snapshot: rows equal, those deleted meanwhile are gone")
    check_running_loss(pipeline)
    print("    a slot dropped while running: one source starts anew, the others go on")
    check_crashes(pipeline)
    print("    crashes between the steps leave no gap")
    check_gap(pipeline)
    print("    a sink outrun by retention_force is in a gap, and copied anew by policy")
    lab.expect(pipeline.stop() == 0, "does not end well")


main()
