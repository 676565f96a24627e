# SPDX-License-Identifier: MIT
"""PostgreSQL 18 with a standby: capture from the standby itself, and a failover slot that lets the
stream go on from the standby once it is promoted, with nothing copied anew.
"""
import lab
from standby import Standby


def source(name, server, ports, more=""):
    hosts = ",".join("127.0.0.1:%d" % port for port in ports)
    return ("  - name: %s\n    type: postgres\n    url: postgres://postgres@%s/shop\n    password: %s\n"
            "    tables: [public.*]\n%s" % (name, hosts, server.env["ROOT_PASSWORD"], more))


def wait_equal(pipeline, name, server, what, seconds=30):
    def equal():
        theirs = sorted(tuple(row) for row in server.sql("SELECT * FROM item", "-d", "shop"))
        ours = pipeline.query("SELECT * FROM %s_public.item" % name)
        return theirs == sorted(tuple(str(cell) for cell in row) for row in ours)
    pipeline.wait_for(equal, what, seconds)


def check_capture_from_standby(primary, standby):
    pipeline = lab.Pipeline(lab.config(source("st", primary, [standby.port])))
    pipeline.start()
    lab.expect(pipeline.wait_end(30) == 3, "without a publication the source stops")
    lab.expect("run on its primary" in pipeline.log_tail(), "the statement is told:\n" +
               pipeline.log_tail())
    primary.sql("CREATE PUBLICATION millrace_e2e_st FOR TABLE item", "-d", "shop")
    standby.wait(lambda: standby.sql("SELECT 1 FROM pg_publication", "-d", "shop"), "the publication")
    pipeline.start()

    def ready():
        primary.sql("SELECT pg_log_standby_snapshot()")  # what a slot on a standby waits for
        return pipeline.get("/readyz")[0] == 200
    pipeline.wait_for(ready, "the copy from the standby", 60)
    primary.sql("INSERT INTO item VALUES (2, 2); UPDATE item SET price = 9 WHERE id = 1", "-d", "shop")
    wait_equal(pipeline, "st", primary, "streamed from the standby")
    lab.expect(pipeline.stop() == 0, "does not end well")
    standby.sql("SELECT pg_drop_replication_slot('millrace_e2e_st')")
    print("    captured from a standby")


def check_failover(primary, standby):
    pipeline = lab.Pipeline(lab.config(source("fo", primary, [primary.port, standby.port])))
    pipeline.start()
    pipeline.wait_ready(60)
    slots = primary.sql("SELECT failover FROM pg_replication_slots WHERE slot_name = 'millrace_e2e_fo'")
    lab.expect(slots == [["t"]], "the slot is a failover slot: %s" % slots)
    primary.sql("INSERT INTO item VALUES (3, 3)", "-d", "shop")
    wait_equal(pipeline, "fo", primary, "before the failover")
    standby.wait(lambda: standby.sql("SELECT 1 FROM pg_replication_slots WHERE slot_name = "
                                     "'millrace_e2e_fo' AND synced AND NOT temporary"),
                 "the slot is not synced", 60)
    primary.sql("INSERT INTO item VALUES (4, 4); DELETE FROM item WHERE id = 1", "-d", "shop")
    wait_equal(pipeline, "fo", primary, "after the slot was synced")
    end = primary.sql("SELECT pg_current_wal_lsn()")[0][0]
    standby.wait(lambda: standby.sql("SELECT 1 WHERE pg_last_wal_replay_lsn() >= '%s'" % end), "replay")
    primary.stop()
    standby.sql("SELECT pg_promote()")
    standby.sql("INSERT INTO item VALUES (5, 5); UPDATE item SET price = 7 WHERE id = 2", "-d", "shop")
    wait_equal(pipeline, "fo", standby, "after the failover", 60)
    with open(pipeline.log) as log:
        lab.expect(log.read().count("snapshot.started") == 1, "nothing is copied anew")
    lab.expect(pipeline.stop() == 0, "does not end well")
    print("    a failover slot: streamed on from the promoted standby")


def main():
    primary = lab.Server("postgres18", "ha")
    primary.sql("CREATE DATABASE shop")
    primary.sql("CREATE TABLE item (id int PRIMARY KEY, price int); INSERT INTO item VALUES (1, 1);"
                "SELECT pg_create_physical_replication_slot('standby', true)", "-d", "shop")
    standby = Standby(primary, "shop", "primary_slot_name = 'standby'", "hot_standby_feedback = on",
                      "sync_replication_slots = on")
    try:
        check_capture_from_standby(primary, standby)
        check_failover(primary, standby)
    finally:
        standby.stop()


main()
