# SPDX-License-Identifier: MIT
"""Schema changes of every kind, rows in between, while the program runs, is killed, and is away.

The same script of statements runs three times, with tables of a name of its own each time: while the
program follows; while it is killed again and again; and while it is stopped, so that it finds all of
them in the log at once, long after the tables have become something else. At the end the tables that
there are have the columns of their sources and the same rows, and those that there are not are gone.
"""
import random
import sys
import time

import lab

# One statement a line; @ is the name that all tables of a run begin with. MySQL and MariaDB.
MYSQL_SCRIPT = """
CREATE TABLE @t (id INT NOT NULL PRIMARY KEY, a VARCHAR(20), n INT, e ENUM('x','y') DEFAULT 'x')
INSERT INTO @t VALUES (1, 'one', 10, 'x'), (2, 'two', NULL, 'y'), (3, NULL, 30, NULL)
ALTER TABLE @t ADD COLUMN c1 INT NOT NULL DEFAULT 42 AFTER id, ADD COLUMN c2 VARCHAR(10) DEFAULT 'it''s'
INSERT INTO @t (id, a) VALUES (4, 'four')
UPDATE @t SET c1 = 7 WHERE id = 1
DELETE FROM @t WHERE id = 2
ALTER TABLE @t ADD COLUMN nn INT NOT NULL, ADD COLUMN nt VARCHAR(5) NOT NULL
INSERT INTO @t (id, nn, nt) VALUES (5, 5, 'five')
ALTER TABLE @t CHANGE a aa VARCHAR(50)
UPDATE @t SET aa = 'renamed' WHERE id = 3
ALTER TABLE @t DROP COLUMN c2
INSERT INTO @t (id, aa, nn, nt) VALUES (6, 'six', 6, 'x')
ALTER TABLE @t MODIFY n BIGINT FIRST
INSERT INTO @t (id, n, nn, nt) VALUES (7, 7000000000, 7, 'x')
ALTER TABLE @t MODIFY e ENUM('w','x','y','z')
UPDATE @t SET e = 'z' WHERE id >= 5
ALTER TABLE @t RENAME COLUMN c1 TO nn, RENAME COLUMN nn TO c1
INSERT INTO @t (id, c1, nn, nt) VALUES (8, 81, 82, 'y')
UPDATE @t SET n = 1 WHERE n IS NULL
ALTER TABLE @t MODIFY n BIGINT NOT NULL, DROP PRIMARY KEY, ADD PRIMARY KEY (n, id)
UPDATE @t SET n = 2 WHERE id = 4
DELETE FROM @t WHERE id = 8
ALTER TABLE @t DROP PRIMARY KEY, ADD PRIMARY KEY (id)
ALTER TABLE @t CONVERT TO CHARACTER SET latin1
INSERT INTO @t (id, n, aa, c1, nn, nt) VALUES (9, 9, 'ä latin', 1, 2, 'é')
ALTER TABLE @t MODIFY c1 DECIMAL(12,2) NOT NULL, ALGORITHM=COPY
UPDATE @t SET c1 = 1.25 WHERE id = 9
/*!40101 ALTER TABLE `@t` ADD COLUMN `sel``ect` INT DEFAULT -3 COMMENT ', DROP COLUMN n' */
INSERT INTO @t (id, n, c1, nn, nt) VALUES (10, 1, 1, 2, 'z')
CREATE TABLE @like LIKE @t
INSERT INTO @like SELECT * FROM @t WHERE id < 5
CREATE TABLE @sel AS SELECT id, aa FROM @t
INSERT INTO @sel VALUES (100, 'after')
RENAME TABLE @t TO @tmp, @like TO @t, @tmp TO @like
INSERT INTO @t (id, n, c1, nn, nt) VALUES (200, 1, 1, 2, 'swap')
DELETE FROM @like WHERE id = 9
CREATE TABLE @tool (id INT PRIMARY KEY, v INT)
INSERT INTO @tool VALUES (1, 10), (2, 20)
CREATE /* gh-ost */ TABLE `_@tool_gho` LIKE `@tool`
ALTER /* gh-ost */ TABLE `_@tool_gho` ADD COLUMN w INT NOT NULL DEFAULT 5
INSERT INTO `_@tool_gho` (id, v) SELECT id, v FROM @tool
RENAME /* gh-ost */ TABLE `@tool` TO `_@tool_del`, `_@tool_gho` TO `@tool`
DROP TABLE `_@tool_del`
INSERT INTO @tool VALUES (3, 30, 6)
CREATE TABLE @pt (id INT PRIMARY KEY, v INT)
INSERT INTO @pt VALUES (1, 10), (2, 20)
CREATE TABLE excluded._@pt_new LIKE @pt
ALTER TABLE excluded._@pt_new ADD COLUMN w VARCHAR(5) DEFAULT 'w'
INSERT INTO excluded._@pt_new (id, v) SELECT id, v FROM @pt
RENAME TABLE @pt TO excluded._@pt_old, excluded._@pt_new TO @pt
DROP TABLE excluded._@pt_old
INSERT INTO @pt VALUES (3, 30, 'x')
CREATE TABLE @empty (id INT PRIMARY KEY, v INT)
INSERT INTO @empty VALUES (1, 1), (2, 2)
TRUNCATE TABLE @empty
INSERT INTO @empty VALUES (3, 3)
CREATE TABLE @gone (id INT PRIMARY KEY)
INSERT INTO @gone VALUES (1)
DROP TABLE @gone
CREATE TABLE @gone2 (id INT PRIMARY KEY, v INT)
INSERT INTO @gone2 VALUES (1, 1)
DROP TABLE @gone2
CREATE TABLE @gone2 (id INT PRIMARY KEY, other VARCHAR(9))
INSERT INTO @gone2 VALUES (1, 'anew')
"""

POSTGRES_SCRIPT = """
CREATE TABLE @t (id int PRIMARY KEY, a text, n int)
INSERT INTO @t VALUES (1, 'one', 10), (2, 'two', NULL), (3, NULL, 30)
ALTER TABLE @t ADD COLUMN c1 int NOT NULL DEFAULT 42, ADD COLUMN c2 text DEFAULT 'it''s'
INSERT INTO @t (id, a) VALUES (4, 'four')
UPDATE @t SET c1 = 7 WHERE id = 1
DELETE FROM @t WHERE id = 2
ALTER TABLE @t RENAME COLUMN a TO aa
UPDATE @t SET aa = 'renamed' WHERE id = 3
ALTER TABLE @t DROP COLUMN c2
INSERT INTO @t (id, aa) VALUES (6, 'six')
ALTER TABLE @t ALTER COLUMN n TYPE bigint
INSERT INTO @t (id, n) VALUES (7, 7000000000)
BEGIN; INSERT INTO @t (id, n) VALUES (20, 1); DELETE FROM @t WHERE id = 3; ALTER TABLE @t ADD COLUMN x int; INSERT INTO @t (id, x) VALUES (21, 2); UPDATE @t SET x = 3 WHERE id = 20; ALTER TABLE @t RENAME COLUMN x TO y; INSERT INTO @t (id, y) VALUES (22, 4); COMMIT
BEGIN; ALTER TABLE @t ADD COLUMN never int; INSERT INTO @t (id, never) VALUES (99, 1); ROLLBACK
UPDATE @t SET n = 1 WHERE n IS NULL
ALTER TABLE @t DROP CONSTRAINT @t_pkey, ADD PRIMARY KEY (n, id)
UPDATE @t SET n = 2 WHERE id = 4
ALTER TABLE @t DROP CONSTRAINT @t_pkey, ADD PRIMARY KEY (id)
ALTER TABLE @t ALTER COLUMN c1 TYPE numeric(12,2)
UPDATE @t SET c1 = 1.25 WHERE id = 6
CREATE TABLE @old (id int PRIMARY KEY, v int)
INSERT INTO @old VALUES (1, 1)
ALTER TABLE @old RENAME TO @new
INSERT INTO @new VALUES (2, 2)
CREATE TABLE @empty (id int PRIMARY KEY, v int)
INSERT INTO @empty VALUES (1, 1), (2, 2)
TRUNCATE TABLE @empty
INSERT INTO @empty VALUES (3, 3)
"""


class Lab:
    """The server under test, in two or three words of its own."""

    def __init__(self, kind):
        self.server = lab.Server(kind, "schema")
        self.options = ["shop"]
        self.schema = "ops_shop"
        self.server.sql("CREATE DATABASE shop CHARACTER SET utf8mb4; CREATE DATABASE excluded;")
        self.source = lab.mysql_source(self.server, "ops", "shop.*")
        self.script = MYSQL_SCRIPT

    def run(self, *script):
        """Statements through one client: starting one takes longer than what it says."""
        self.server.sql("SET NAMES utf8mb4;\n" + "".join(line + ";\n" for line in script),
                        *self.options)

    def tables(self):
        return [row[0] for row in self.server.sql(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'shop' ORDER BY "
            "table_name;", *self.options)]

    def columns(self, table):
        return [row[0] for row in self.server.sql(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'shop' AND "
            "table_name = '%s' ORDER BY ordinal_position;" % table, *self.options)]

    def rows(self, table, columns):
        names = ", ".join("COALESCE(CONVERT(`%s` USING utf8mb4), 'NULL')" %
                          name.replace("`", "``") for name in columns)
        return sorted(tuple(row) for row in self.server.sql(
            "SET NAMES utf8mb4; SELECT %s FROM `%s`;" % (names, table), *self.options))


class PostgresLab:
    """The same for PostgreSQL."""

    def __init__(self, kind):
        self.server = lab.Server(kind, "schema")
        self.options = ["-q", "-d", "shop"]
        self.schema = "ops_public"
        self.server.sql("CREATE DATABASE shop;")
        self.server.sql("CREATE PUBLICATION everything FOR ALL TABLES;", *self.options)
        self.source = lab.postgres_source(self.server, "ops", "shop",
                                          more="    publication: everything\n")
        self.script = POSTGRES_SCRIPT

    def run(self, *script):
        self.server.sql("".join(line + ";\n" for line in script), *self.options)

    def tables(self):
        return [row[0] for row in self.server.sql(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1;",
            *self.options)]

    def columns(self, table):
        return [row[0] for row in self.server.sql(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND "
            "table_name = '%s' ORDER BY ordinal_position;" % table, *self.options)]

    def rows(self, table, columns):
        names = ", ".join("COALESCE(%s::text, 'NULL')" % name for name in columns)
        return sorted(tuple(row) for row in self.server.sql(
            "SELECT %s FROM %s;" % (names, table), *self.options))


def follows(pipeline, under_test):
    """What differs between the source and the warehouse, in words; None: nothing."""
    tables = under_test.tables()
    found = [row[0] for row in pipeline.query(
        "SELECT table_name FROM duckdb_tables() WHERE schema_name = '%s' ORDER BY table_name" %
        under_test.schema)]
    if sorted(found) != sorted(tables):
        return "tables %s, but %s here" % (tables, found)
    for table in tables:
        columns = under_test.columns(table)
        here = [row[0] for row in pipeline.query(
            "SELECT column_name FROM duckdb_columns() WHERE schema_name = '%s' AND table_name = "
            "'%s'" % (under_test.schema, table))]
        if sorted(here) != sorted(columns):
            return "%s: columns %s, but %s here" % (table, columns, here)
        names = ", ".join("CAST(\"%s\" AS VARCHAR)" % name for name in columns)
        rows = sorted(tuple("NULL" if v is None else v for v in row) for row in pipeline.query(
            'SELECT %s FROM "%s"."%s"' % (names, under_test.schema, table)))
        wanted = under_test.rows(table, columns)
        if rows != wanted:
            return "%s: %s\nbut here %s" % (table, wanted, rows)
    return None


def wait_equal(pipeline, under_test, what, seconds=60):
    difference = ["not looked at"]

    def equal():
        difference[0] = follows(pipeline, under_test)
        return difference[0] is None

    try:
        pipeline.wait_for(equal, what, seconds)
    except RuntimeError as error:
        sys.exit("FAIL: %s\n%s\n%s" % (what, difference[0], error))


def statements(under_test, name):
    return [line.replace("@", name) for line in under_test.script.splitlines() if line]


def main():
    kind = sys.argv[1]
    under_test = PostgresLab(kind) if kind.startswith("postgres") else Lab(kind)
    draw = random.Random(4)
    pipeline = lab.Pipeline(lab.config(under_test.source))
    # A table that is there before, is copied, and is changed without a row in between.
    under_test.run("CREATE TABLE early (id INT PRIMARY KEY, v INT); INSERT INTO early VALUES (1, 1)")
    pipeline.start()
    pipeline.wait_ready()
    change = "RENAME COLUMN v TO w" if kind.startswith("postgres") else "CHANGE v w INT"
    under_test.run("ALTER TABLE early %s; INSERT INTO early VALUES (2, 2)" % change)
    under_test.run(*statements(under_test, "live"))
    wait_equal(pipeline, under_test, "the tables while it follows")

    script = statements(under_test, "killed")
    for start in range(0, len(script), 12):
        under_test.run(*script[start:start + 12])
        time.sleep(draw.random() * 0.4)
        pipeline.kill()
        pipeline.start()
    wait_equal(pipeline, under_test, "the tables while it is killed")

    lab.expect(pipeline.stop() == 0, "a stop with everything followed does not exit 0:\n" +
               pipeline.log_tail())
    under_test.run(*statements(under_test, "away"))
    pipeline.start()
    wait_equal(pipeline, under_test, "the tables after it was away")
    status = pipeline.status()
    changes = sum(table["schema_changes"] for table in status["sources"][0]["tables"])
    lab.expect(changes > 8, "status counts %d schema changes" % changes)
    lab.expect("millrace_schema_changes_total" in pipeline.get("/metrics")[1], "no metric")
    code, out, err = pipeline.run("tail", "--url", pipeline.url, "--follow=false",
                                  "ops.shop.awayt" if under_test.schema == "ops_shop" else "ops.public.awayt")
    lab.expect(code == 0 and out.count('"schema_change"') > 5, "tail: %d %s" % (code, err))
    with open(pipeline.log) as log:
        lab.expect("table.altered" in log.read(), "the log does not tell")
    lab.expect(pipeline.stop() == 0, "a clean stop does not exit 0")
    print("    %d tables, %d changes followed in the last run" % (len(under_test.tables()), changes))


main()
