# SPDX-License-Identifier: MIT
"""A pipeline on servers that nobody writes to becomes ready, at its first start and after a restart:
readiness waits for the copy's high mark, which must be passed without a single change.
"""
import lab


def main():
    mysql = lab.Server("mysql80", "idle")
    maria = lab.Server("mariadb", "idle")
    postgres = lab.Server("postgres", "idle")
    for server in (mysql, maria):
        server.sql("CREATE DATABASE shop; CREATE TABLE shop.item (id INT PRIMARY KEY);"
                   "INSERT INTO shop.item VALUES (1)")
    postgres.sql("CREATE DATABASE shop")
    postgres.sql("CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item VALUES (1);", "-d", "shop")
    pipeline = lab.Pipeline(lab.config(lab.mysql_source(mysql, "my", "shop.*"),
                                       lab.mysql_source(maria, "maria", "shop.*"),
                                       lab.postgres_source(postgres, "pg", "shop")))
    for start in ("first start", "restart"):
        pipeline.start()
        pipeline.wait_ready(30)
        for table in ("my_shop.item", "maria_shop.item", "pg_public.item"):
            lab.expect(pipeline.query("SELECT count(*) FROM " + table)[0][0] == 1, table)
        lab.expect(pipeline.stop() == 0, "does not end well")
        print("    ready after the %s" % start)


main()
