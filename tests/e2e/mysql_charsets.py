# SPDX-License-Identifier: MIT
"""Tables with every character of every character set that a MySQL or MariaDB server has.

The server makes them: all byte sequences that it takes for one character of the set and has a Unicode
character for. Of the planes behind the first, every 16th character. MySQL 9 answers bytes that are
not of the set with an error, so there the characters come the other way, out of Unicode.
"""

ONE = "CHAR(n)"
TWO = "CHAR(n DIV 256, n % 256)"
THREE = "CHAR(0x8f, n DIV 256, n % 256)"
FOUR = "CHAR(0x81 + {i} DIV 12600, 0x30 + {i} DIV 1260 % 10, 0x81 + {i} DIV 10 % 126, 0x30 + {i} % 10)"
WIDE = "CONVERT(UNHEX(LPAD(HEX({i}), 8, '0')) USING utf32)"
BEHIND = "(65536 + n * 16)"

BYTE, FIRST = "n < 256", "n < 65536"
UNICODE = [(WIDE.format(i="n"), FIRST), (WIDE.format(i=BEHIND), FIRST)]
FORMS = {
    "ucs2": UNICODE[:1], "utf8mb3": UNICODE[:1],
    "utf16": UNICODE, "utf16le": UNICODE, "utf32": UNICODE, "utf8mb4": UNICODE,
    "ujis": [(ONE, BYTE), (TWO, FIRST), (THREE, FIRST)],
    "eucjpms": [(ONE, BYTE), (TWO, FIRST), (THREE, FIRST)],
    "gb18030": [(ONE, BYTE), (TWO, FIRST), (FOUR.format(i="n"), "n < 39420"),
                (FOUR.format(i="(189000 + n * 16)"), FIRST)],
}
SINGLE, DOUBLE = [(ONE, BYTE)], [(ONE, BYTE), (TWO, FIRST)]


def character_sets(server):
    rows = server.sql("SELECT CHARACTER_SET_NAME, MAXLEN FROM information_schema.CHARACTER_SETS "
                      "WHERE CHARACTER_SET_NAME NOT IN ('binary', 'utf8') ORDER BY 1")
    return [(row[0], int(row[1])) for row in rows]


def make(server, space):
    """Rows of the characters that share their first bytes. big5 has seven characters that the server
    turns into U+FFFD and millrace does not: left out."""
    sql = "USE %s; SET SESSION cte_max_recursion_depth = 70000;\n" % space
    if server.kind == "mariadb":
        sql = "USE %s; SET SESSION max_recursive_iterations = 70000;\n" % space
    sql += """SET SESSION group_concat_max_len = 1000000, sql_mode = '';
CREATE TEMPORARY TABLE lab_n (n int PRIMARY KEY);
INSERT INTO lab_n WITH RECURSIVE s AS (SELECT 0 n UNION ALL SELECT n + 1 FROM s WHERE n < 65535) SELECT n FROM s;
"""
    for charset, width in character_sets(server):
        sql += "CREATE TABLE cs_%s (id int AUTO_INCREMENT PRIMARY KEY, c mediumtext CHARACTER SET %s);\n" % (
            charset, charset)
        forms = FORMS.get(charset, SINGLE if width == 1 else DOUBLE)
        if server.kind == "mysql9":
            forms = UNICODE[:2 if width == 4 else 1]
        for form, where in forms:
            wide = form.startswith("CONVERT")
            made = "CONVERT(%s USING %s)" % (form, charset)
            sql += """INSERT INTO cs_{charset} (c)
SELECT GROUP_CONCAT(c ORDER BY n SEPARATOR '') FROM (SELECT n, {made} c, {raw} raw FROM lab_n WHERE {where}) m
WHERE c IS NOT NULL AND CHAR_LENGTH(c) = 1 AND {kept}
  AND (HEX(CONVERT(c USING utf8mb4)) NOT IN ('3F', '3F3F', 'EFBFBD') OR n = 63) GROUP BY n DIV 256;
""".format(charset=charset, made=made, raw="''" if wide else form, where=where,
           kept="n NOT BETWEEN 0xd800 AND 0xdfff" if "HEX(n)" in form else "TRUE" if wide else "HEX(c) = HEX(raw)")
    server.sql(sql, "--default-character-set=utf8mb4")


def copy(server, space, like):
    """The same tables, rows as events of the binlog."""
    server.sql("".join("CREATE TABLE {0}.cs_{2} LIKE {1}.cs_{2}; INSERT INTO {0}.cs_{2} SELECT * FROM {1}.cs_{2};\n"
                       .format(space, like, charset) for charset, _ in character_sets(server)))


def compare(server, pipeline, space, expect):
    sets = [charset for charset, _ in character_sets(server)]
    wanted = server.sql("USE %s; " % space + " UNION ALL ".join(
        "SELECT '{1}', id, SHA2(CONVERT(c USING utf8mb4), 256), CHAR_LENGTH(c) FROM {0}.cs_{1}".format(space, charset)
        for charset in sets))
    got = pipeline.query(" UNION ALL ".join(
        "SELECT '{1}', id, sha256(c) FROM lab_{0}.cs_{1}".format(space, charset) for charset in sets))
    there = {(row[0], int(row[1])): row[2] for row in got}
    expect({row[0] for row in wanted} == set(sets), "not every set has rows")
    expect(len(there) == len(wanted), "%s has %d of %d rows" % (space, len(there), len(wanted)))
    for charset, number, digest, _ in wanted:
        expect(there.get((charset, int(number))) == digest,
               "%s.cs_%s, row %s is not what the server has" % (space, charset, number))
    print("    %-8s %d characters of %d sets" % (space, sum(int(row[3]) for row in wanted), len(sets)))
