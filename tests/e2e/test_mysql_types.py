# SPDX-License-Identifier: MIT
"""Every type of MySQL or MariaDB, with its edge values, through the copy and through the binlog.

The same rows are made in `snap` (copied) and, once the pipeline is ready, in `minimal` and `full` (streamed, as
inserts and as updates, with the row metadata of that name). For every column the source's own
text of a value is compared with the warehouse's, for both ways. Then values that no core type holds,
under each on_type_error.

  test_mysql_types.py KIND
"""
import datetime
import decimal
import struct
import sys

import lab
import mysql_charsets

MYSQL, MARIA, NINE = "mysql", "maria", "nine"

def same(text):
    return text


def to_double(text):
    return struct.pack("<d", float(text))


def to_us(text):
    """Microseconds since 1970 of 'YYYY-MM-DD HH:MM:SS.ffffff'."""
    moment = datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f")
    return (moment - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1)


def to_span_us(text):
    hours, minutes, seconds = text.lstrip("-").split(":")
    whole, fraction = seconds.split(".")
    us = ((int(hours) * 60 + int(minutes)) * 60 + int(whole)) * 1000000 + int(fraction)
    return -us if text.startswith("-") else us


def to_ewkb(text):
    """The server's SRID and WKB as EWKB."""
    inner = bytes.fromhex(text)
    srid, kind = struct.unpack("<I", inner[:4])[0], struct.unpack("<I", inner[5:9])[0]
    if srid == 0:
        return inner[4:].hex().upper()
    return (inner[4:5] + struct.pack("<II", kind | 0x20000000, srid) + inner[9:]).hex().upper()


def to_floats(text):
    inner = bytes.fromhex(text)
    return struct.unpack("<%df" % (len(inner) // 4), inner)


def from_list(text):
    numbers = text.strip("[]").split(",")
    return struct.unpack("<%df" % len(numbers), struct.pack("<%df" % len(numbers), *map(float, numbers)))


# How a column's values are compared: what the source is asked, what the warehouse is asked, and how
# the two answers are brought to one form.
PLAIN = ("CAST({c} AS CHAR)", "CAST({c} AS VARCHAR)", same, same)
TEXT = ("HEX(CONVERT({c} USING utf8mb4))", "hex(encode({c}))", same, same)
BYTES = ("HEX({c})", "hex({c})", same, same)
DOUBLE = ("{c}*1e0", "CAST(CAST({c} AS DOUBLE) AS VARCHAR)", to_double, to_double)
DECIMAL = (PLAIN[0], PLAIN[1], decimal.Decimal, decimal.Decimal)
BITS = ("CAST({c}+0 AS CHAR)", "CAST({c} AS VARCHAR)", same, same)
STAMP = ("CAST(CAST({c} AS DATETIME(6)) AS CHAR)", "CAST(epoch_us({c}) AS VARCHAR)", to_us, int)
SPAN = ("CAST(CAST({c} AS TIME(6)) AS CHAR)", "CAST(epoch_us({c}) AS VARCHAR)", to_span_us, int)
JSON = ("HEX(CAST({c} AS CHAR))", "hex(encode(CAST({c} AS VARCHAR)))", same, same)
PADDED = ("CAST({c}+0 AS CHAR)", "CAST({c} AS VARCHAR)", same, same)
SHAPE = ("HEX({c})", "hex({c})", to_ewkb, same)
VECTOR = ("HEX({c})", "{c}", to_floats, from_list)

MAX65_30 = "9" * 35 + "." + "9" * 30


def q(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


INTEGERS = [
    (name + suffix, name.replace("_", " ") + sign, PLAIN,
     [str(low), str(high), "0", str(low + 1), str(high - 1)], None)
    for name, bits in (("tinyint", 8), ("smallint", 16), ("mediumint", 24), ("int", 32),
                       ("bigint", 64))
    for suffix, sign, low, high in (("_s", "", -(1 << (bits - 1)), (1 << (bits - 1)) - 1),
                                    ("_u", " unsigned", 0, (1 << bits) - 1))]

NUMBERS = [
    ("z", "int(8) unsigned zerofill", BITS, ["42", "0", "4294967295"], None),
    ("flag", "tinyint(1)", PLAIN, ["0", "1", "-1", "127"], None),
    ("d5_2", "decimal(5,2)", DECIMAL, ["-999.99", "999.99", "0", "0.05", "-0.01"], None),
    ("d18_4", "decimal(18,4)", DECIMAL, ["-99999999999999.9999", "99999999999999.9999", "0.0001"], None),
    ("d38_10", "decimal(38,10)", DECIMAL,
     ["-" + "9" * 28 + ".9999999999", "9" * 28 + ".9999999999", "0", "-0.0000000001"], None),
    ("d38_0", "decimal(38,0)", DECIMAL, ["-" + "9" * 38, "9" * 38, "0"], None),
    ("d39", "decimal(39,0)", PLAIN, ["-" + "9" * 39, "9" * 39, "0", "-1"], None),
    ("d65_30", "decimal(65,30)", DECIMAL, ["-" + MAX65_30, MAX65_30, "0", "-0.000000000000000000000000000001"], None),
    ("d65z", "decimal(50,3) unsigned zerofill", PADDED, ["1.5", "0", "9" * 47 + ".999"], None),
    ("d30_30", "decimal(30,30)", DECIMAL, ["-0." + "9" * 30, "0." + "9" * 30], None),
    ("f", "float", DOUBLE, ["-3.402823466e38", "3.402823466e38", "0.1", "16777217", "1.17549435e-38",
                            "1e-45", "0.3", "-0e0", "8388608.5"], None),
    ("f7_3", "float(7,3)", DOUBLE, ["9999.999", "-0.001", "1.1"], None),
    ("d", "double", DOUBLE, ["-1.7976931348623157e308", "1.7976931348623157e308", "5e-324", "0.1",
                             "0.30000000000000004", "9007199254740993", "1e22", "1e23",
                             "2.2250738585072014e-308", "-0e0"], None),
    ("d15_4", "double(15,4)", DOUBLE, ["-12345678901.2345", "1e-4"], None),
    ("fz", "float unsigned zerofill", DOUBLE, ["0.1", "3"], None),
    ("b1", "bit(1)", BITS, ["b'0'", "b'1'"], None),
    ("b10", "bit(10)", BITS, ["b'0'", "b'1111111111'", "b'1000000001'"], None),
    ("b64", "bit(64)", BITS, ["0", "0xffffffffffffffff", "0x8000000000000000", "1"], None),
    ("y", "year", BITS, ["1901", "2155", "0", "1970", "2000"], None),
]

TIMES = [
    ("d", "date", PLAIN, [q("0001-01-01"), q("9999-12-31"), q("2024-02-29"), q("1969-12-31"), q("1582-10-10")], None),
    ("y2", "year", BITS, ["2024"], None),
] + [
    (kind + str(digits), "%s(%d)%s" % (kind, digits, " NULL"), how,
     [q(value[:len(value) - (6 - digits if digits else 7)]) for value in values], None)
    for digits in range(7)
    for kind, how, values in (
        ("datetime", STAMP, ["0001-01-01 00:00:00.000001", "9999-12-31 23:59:59.999999",
                             "2024-02-29 12:34:56.789012", "1969-12-31 23:59:59.500001"]),
        ("timestamp", STAMP, ["1970-01-01 00:00:01.000001", "2038-01-19 03:14:07.999999",
                              "2024-02-29 12:34:56.789012"]),
        ("time", SPAN, ["-838:59:58.999999", "838:59:58.999999", "-00:00:00.000001",
                        "-00:00:01.500000", "100:00:00.050000", "00:00:00.000000",
                        "-01:00:00.000000"]))]

TEXTS = [
    ("c", "char(10) CHARACTER SET utf8mb4", TEXT, [q("abc  "), q(""), q("  lead"), q("ä€🚗"), q("NULL"), q("\\N")], None),
    ("c255", "char(255) CHARACTER SET utf8mb4", TEXT, ["REPEAT('ü', 255)", q("x"), q("")], None),
    ("v", "varchar(100) CHARACTER SET utf8mb4", TEXT, [q("trailing  "), q("tab\tnl\nquote\"'\\"), "CHAR(0,1,2,127 USING utf8mb4)", q("🚗")], None),
    ("v3", "varchar(300) CHARACTER SET utf8mb3", TEXT, ["REPEAT('é', 300)", q("")], None),
    ("l1", "varchar(300) CHARACTER SET latin1", TEXT, [q("€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸäöü"), q("plain"), "x'818d8f909d'"], None),
    ("cu16", "char(5) CHARACTER SET utf16", TEXT, [q("a  "), q("🚗"), q("")], None),
    ("cu32", "char(5) CHARACTER SET utf32", TEXT, [q("a  "), q("🚗"), q("")], None),
    ("cucs2", "char(5) CHARACTER SET ucs2", TEXT, [q("a  "), q("€"), q("")], None),
    ("tt", "tinytext CHARACTER SET utf8mb4", TEXT, ["REPEAT('x', 255)", q("☃")], None),
    ("t", "text CHARACTER SET koi8r", TEXT, [q("Привет"), "REPEAT('ж', 1000)"], None),
    ("mt", "mediumtext CHARACTER SET sjis", TEXT, [q("ソフト\\"), q("ｱ")], None),
    ("lt", "longtext CHARACTER SET utf8mb4", TEXT, ["REPEAT('long ', 20000)", q("")], None),
    ("b5", "binary(5)", BYTES, ["x'0102'", "x'0000000000'", "x''", "x'0100000000'", "x'2020202020'"], None),
    ("b255", "binary(255)", BYTES, ["x'00'", "REPEAT(x'41', 255)", "x'ff'"], None),
    ("b0", "binary(0)", BYTES, ["''"], None),
    ("c0", "char(0)", TEXT, ["''"], None),
    ("vb", "varbinary(300)", BYTES, ["x'0001ff00'", "REPEAT(x'00', 300)", "''"], None),
    ("tb", "tinyblob", BYTES, ["x'ff'", "x'00'"], None),
    ("bl", "blob", BYTES, ["REPEAT(x'0a', 60000)", "''"], None),
    ("mb", "mediumblob", BYTES, ["x'deadbeef'"], None),
    ("lb", "longblob", BYTES, ["REPEAT(x'fe', 70000)"], None),
    ("e", "enum('small','it''s','back\\\\slash','comma,d','Ünï','new\\nline','') CHARACTER SET utf8mb4", TEXT,
     [q("it's"), q("back\\slash"), q("comma,d"), q("Ünï"), q("new\nline"), "7", "1"], None),
    ("el", "enum('ä','ö') CHARACTER SET latin1", TEXT, [q("ö"), q("ä")], None),
    ("eu", "enum('ä','日本') CHARACTER SET utf16", TEXT, [q("日本"), q("ä")], None),
    ("ebig", "enum(%s) CHARACTER SET utf8mb4" % ",".join("'v%03d'" % i for i in range(300)), TEXT,
     [q("v000"), q("v255"), q("v299")], None),
    ("st", "set('a','b c','d''e','ß') CHARACTER SET utf8mb4", TEXT, [q("a,b c,d'e,ß"), q(""), q("ß")], None),
    ("s64", "set(%s) CHARACTER SET latin1" % ",".join("'m%d'" % i for i in range(64)), TEXT,
     ["18446744073709551615", "9223372036854775808", "0", "1"], None),
]

DOUBLES = [1.0, 1.5, 0.1, 1e10, 1e15, 1e16, 123456789012345680.0, 1e17, 1e100, 1e-5, 1e-14, 1e-15, 1e-16,
           1.7976931348623157e308, 5e-324, 0.30000000000000004, 3.141592653589793, 1234567890123456.7,
           -0.0, 999999999999999.9, 1e21, 123e-7, 9007199254740993.0, 2.5e-8, 1.25e20]
DOCUMENTS = [
    "'{}'", "'[]'", "'null'", "'true'", "'\"text\"'",
    "'[0, -1, 32767, 32768, -32768, -32769, 65535, 65536, 2147483647, 2147483648, -2147483648, -2147483649,"
    " 4294967295, 4294967296, 9223372036854775807, -9223372036854775808, 18446744073709551615]'",
    "'[%s]'" % ", ".join(repr(d) for d in DOUBLES),
    "'{\"bb\": 1, \"a\": 2, \"ccc\": {\"x\": [1, {\"y\": null}], \"\": false}, \"aa\": \"z\", \"ä\": \"ö\"}'",
    r"""'"quote \\" back \\\\ slash / ctl \\u0001 \\b\\f\\n\\r\\t \\u00e9 \\ud83d\\ude97 \\u007f"'""",
]
BINARY_DOCUMENTS = [
    "JSON_OBJECT('d', CAST('2024-02-29' AS DATE), 't', CAST('-12:34:56.789' AS TIME(3)), 'dt',"
    " CAST('2024-02-29 12:34:56.123456' AS DATETIME(6)), 'dec', CAST(-123.4500 AS DECIMAL(10,4)), 'big',"
    " CAST(12345678901234567890.123456789 AS DECIMAL(30,9)), 'ts', TIMESTAMP'2020-01-01 00:00:00')",
    "JSON_ARRAY(x'00ff10', CAST(REPEAT('b', 100) AS BINARY), b'101', 1.50, 2e0, CAST('838:59:59' AS TIME))",
    "JSON_OBJECT('long', REPEAT('x', 70000), 'n', 1, 'i', -70000)",
    "JSON_ARRAY(ST_GeomFromText('POINT(1 2)'), YEAR('2024-01-01'))",
    "(SELECT JSON_ARRAYAGG(n) FROM lab_numbers)",
    "(SELECT JSON_OBJECTAGG(CONCAT('k', n), REPEAT('v', n % 50)) FROM lab_numbers)",
]

SHAPES = ["POINT(1 2)", "LINESTRING(0 0,1 1,2 3)", "POLYGON((0 0,0 1,1 1,0 0))", "MULTIPOINT((1 1),(2 2))",
          "MULTILINESTRING((0 0,1 1),(2 2,3 3))", "MULTIPOLYGON(((0 0,0 1,1 1,0 0)))",
          "GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))"]
OTHERS = [
    ("j", "json", JSON, DOCUMENTS + BINARY_DOCUMENTS, MYSQL),
    ("j", "json", JSON, DOCUMENTS, MARIA),
    ("jl", "longtext CHARACTER SET latin1 CHECK (json_valid(jl))", TEXT, [q('{"ä": 1}')], MARIA),
    ("g", "geometry", SHAPE, ["ST_GeomFromText('%s')" % s for s in SHAPES] + ["ST_GeomFromText('POINT(1 2)', 4326)"], None),
    ("p", "point", SHAPE, ["ST_GeomFromText('POINT(-1.5 2.25)')"], None),
    ("gid", "int AS (id * 2) VIRTUAL", PLAIN, None, None),
    ("gst", "varchar(20) CHARACTER SET latin1 AS (concat('ä', id)) STORED", TEXT, None, None),
    ("hidden", "int INVISIBLE DEFAULT 5", PLAIN, ["7"], None),
    ("i4", "inet4", PLAIN, [q("1.2.3.4"), q("0.0.0.0"), q("255.255.255.255"), q("1.0.0.0")], MARIA),
    ("i6", "inet6", PLAIN, [q("::"), q("::1"), q("2001:db8::1"), q("2001:db8::"), q("::ffff:1.2.3.4"), q("::1.2.3.4"),
                            q("1:0:0:2:0:0:0:3"), q("1:2:3:4:5:6:7:8"), q("fe80::1:0:0:1"), q("0:0:1::"),
                            q("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), q("::ffff:0:0"), q("0:1:2:3:4:5:6:7"), q("1:0:2:3:4:5:6:7"),
                            q("::2:0:0:1"), q("::1:2")], MARIA),
    ("u", "uuid", PLAIN, [q("f47ac10b-58cc-1372-8567-0e02b2c3d479"), q("f47ac10b-58cc-4372-8567-0e02b2c3d479"),
                          q("f47ac10b-58cc-7372-8567-0e02b2c3d400"), q("00000000-0000-0000-0000-000000000000"),
                          q("ffffffff-ffff-ffff-ffff-ffffffffffff")], MARIA),
    ("cv", "varchar(300) COMPRESSED", TEXT, ["REPEAT('ä', 250)", q("short"), q("")], MARIA),
    ("cb", "blob COMPRESSED", BYTES, ["REPEAT(x'00', 5000)", "x'01'", "''"], MARIA),
    ("vec", "vector(3)", VECTOR, ["TO_VECTOR('[1,-2,0.5]')", "TO_VECTOR('[0.1,3.4e38,-1e-37]')"], NINE),
]
TABLES = {"ints": INTEGERS, "numbers": NUMBERS, "times": TIMES, "texts": TEXTS, "others": OTHERS}


def is_at_hand(flavour, kind):
    if flavour is None:
        return True
    is_maria = kind == "mariadb"
    return {MYSQL: not is_maria, MARIA: is_maria, NINE: kind == "mysql9"}[flavour]


def columns_of(table, kind):
    return [column for column in TABLES[table] if is_at_hand(column[4], kind)]


def create(space, kind):
    """The tables, all of whose columns may be NULL but the key."""
    statements = ["CREATE DATABASE IF NOT EXISTS %s CHARACTER SET utf8mb4;" % space]
    for table in TABLES:
        columns = ["id int NOT NULL PRIMARY KEY", "touched int NOT NULL DEFAULT 0"]
        columns += ["%s %s" % column[:2] for column in columns_of(table, kind)]
        statements.append("CREATE TABLE %s.%s (%s) ROW_FORMAT=DYNAMIC;" % (space, table, ", ".join(columns)))
    return "\n".join(statements)


def fill(space, kind):
    """Row n has the n-th value of every column that has so many; the last row is NULL throughout."""
    statements = ["USE %s;" % space]
    for table in TABLES:
        columns = [column for column in columns_of(table, kind) if column[3] is not None]
        for row in range(max(len(column[3]) for column in columns) + 1):
            there = [column for column in columns if row < len(column[3])]
            statements.append("INSERT INTO %s (%s) VALUES (%s);" % (
                table, ", ".join(["id"] + [column[0] for column in there]),
                ", ".join([str(row)] + [column[3][row] for column in there])))
    return "\n".join(statements)


def ask(rows, columns, convert):
    """The rows of one table, whose first cell is the id, as {column: [value of each row]}."""
    return {column[0]: [None if row[n + 1] in (None, "NULL") else column[2][convert](row[n + 1]) for row in rows]
            for n, column in enumerate(columns)}


def compare_table(server, pipeline, space, table, columns):
    """Every cell, as the source has it and as the warehouse has it."""
    parts = ["SELECT id, %s FROM %s%s.%s ORDER BY id" % (
        ", ".join(column[2][n].format(c=column[0]) for column in columns), prefix, space, table)
        for n, prefix in ((0, ""), (1, "lab_"))]
    wanted_rows = server.sql(parts[0], "--default-character-set=utf8mb4")
    got_rows = pipeline.query(parts[1])
    lab.expect([int(row[0]) for row in wanted_rows] == [int(row[0]) for row in got_rows],
               "%s.%s: the source has %d rows, the warehouse %d" % (space, table, len(wanted_rows), len(got_rows)))
    wanted, got = ask(wanted_rows, columns, 2), ask(got_rows, columns, 3)
    for column in columns:
        for row, (want, have) in enumerate(zip(wanted[column[0]], got[column[0]])):
            lab.expect(want == have, "%s.%s.%s (%s), row %d: the source has %.300r, the warehouse %.300r" % (
                space, table, column[0], column[1][:40], row, want, have))
    return len(wanted_rows) * len(columns)


def compare(server, pipeline, space, kind):
    values = sum(compare_table(server, pipeline, space, table, columns_of(table, kind)) for table in TABLES)
    print("    %-8s %d values" % (space, values))


# Logged as diffs against the document before.
PARTIAL_UPDATES = r"""
UPDATE others SET j = JSON_SET(j, '$.a', 3, '$.ccc.x[1].y', JSON_ARRAY(1, 2.5), '$."new ä\\"\\\\n"', 'v') WHERE id = 7;
UPDATE others SET j = JSON_REMOVE(j, '$[0]', '$[last]') WHERE id = 5;
UPDATE others SET j = JSON_SET(j, '$[3]', 1e300, '$[1000]', NULL) WHERE id = 6;
UPDATE others SET j = JSON_REPLACE(j, '$.dec', CAST(1.5 AS DECIMAL(3,2)), '$.t', TIME'01:02:03') WHERE id = 9;
UPDATE others SET j = JSON_SET(j, '$.long', REPEAT('y', 69000), '$.i', 5) WHERE id = 11;
UPDATE others SET j = JSON_SET(j, '$.k7', 'short', '$.k900', JSON_OBJECT('deep', JSON_ARRAY())) WHERE id = 14;
"""

MISFITS = [
    ("d", "date", PLAIN, [q("0000-00-00"), q("2024-00-10"), q("2024-02-31"), q("2024-02-29")]),
    ("dt", "datetime(3)", PLAIN, [q("0000-00-00 00:00:00"), q("2024-00-10 01:02:03.5"), q("0000-00-00 01:00:00"),
                                  q("2024-02-29 12:34:56.789")]),
    ("ts", "timestamp(2) NULL", (PLAIN[0], PLAIN[1], same, lambda text: text.removesuffix("+00")), [q("0000-00-00 00:00:00"), "NULL", "NULL", q("2024-02-29 12:34:56.78")]),
    ("needed", "date NOT NULL", PLAIN, [q("0000-00-00"), q("2024-00-10"), q("2024-02-31"), q("2024-02-29")]),
]
TEXT_MISFIT = ("t", "varchar(9) CHARACTER SET cp1250", TEXT, ["x'6181'", q("a"), q("b"), q("é")])
POLICIES = """on_type_error: stop
tables:
  - match: "lab.*.as_text"
    on_type_error: text
  - match: "lab.*.as_null"
    on_type_error: "null"
"""


def misfits_of(table):
    return MISFITS + ([TEXT_MISFIT] if table == "as_null" else [])


def make_misfits(server, space):
    sql = "SET time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES'; USE %s;" % space
    for table in ("as_text", "as_null"):
        columns = misfits_of(table)
        sql += "CREATE TABLE %s (id int PRIMARY KEY, %s);" % (table, ", ".join("%s %s" % c[:2] for c in columns))
        for row in range(4):
            sql += "INSERT INTO %s VALUES (%d, %s);" % (table, row, ", ".join(c[3][row] for c in columns))
    server.sql(sql, "--default-character-set=utf8mb4")


def compare_misfits(server, pipeline, space):
    """As text: what the server prints. As null: the last row alone has values, and the rest is counted."""
    compare_table(server, pipeline, space, "as_text", misfits_of("as_text"))
    compare_table(server, pipeline, space, "as_null WHERE id = 3", misfits_of("as_null"))
    columns = misfits_of("as_null")
    got = pipeline.query("SELECT %s FROM lab_%s.as_null WHERE id < 3 ORDER BY id" % (
        ", ".join(column[0] for column in columns), space))
    lab.expect(got == [[None] * 5, [None] * 4 + ["a"], [None] * 4 + ["b"]], "%s.as_null has %r" % (space, got))
    metrics = pipeline.get("/metrics")[1]
    for column, count in (("d", 3), ("dt", 3), ("ts", 1), ("needed", 3), ("t", 1)):
        line = [line for line in metrics.splitlines() if line.startswith("millrace_values_nulled_total")
                and space + ".as_null" in line and 'column="%s"' % column in line]
        lab.expect(len(line) == 1 and line[0].endswith(" %d" % count), "%s.as_null.%s counts %r" % (space, column, line))
    print("    %-8s misfits as text and as NULL" % space)


def main():
    kind = sys.argv[1]
    server = lab.Server(kind, "types")
    session = "SET time_zone = '+00:00'; SET sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_AUTO_VALUE_ON_ZERO';\n"
    numbers = "CREATE TABLE lab_numbers (n int PRIMARY KEY); INSERT INTO lab_numbers WITH RECURSIVE s AS " \
              "(SELECT 0 n UNION ALL SELECT n + 1 FROM s WHERE n < 900) SELECT n FROM s;\n"
    def prepare(space):
        server.sql(session + create(space, kind) + "USE %s;\n" % space + numbers + fill(space, kind),
                   "--default-character-set=utf8mb4")
    prepare("snap")
    make_misfits(server, "snap")
    mysql_charsets.make(server, "snap")
    server.sql("CREATE DATABASE minimal; CREATE DATABASE full; CREATE TABLE full.stops (id int PRIMARY KEY, d date)")
    pipeline = lab.Pipeline(lab.config(lab.mysql_source(server, "lab", "snap.*, minimal.*, full.*"), more=POLICIES))
    pipeline.start()
    pipeline.wait_ready(120)
    compare(server, pipeline, "snap", kind)
    compare_misfits(server, pipeline, "snap")
    mysql_charsets.compare(server, pipeline, "snap", lab.expect)
    for space, metadata in (("minimal", "MINIMAL"), ("full", "FULL")):
        server.sql("SET GLOBAL binlog_row_metadata = %s" % metadata)
        if metadata == "MINIMAL":
            mysql_charsets.copy(server, space, "snap")
        make_misfits(server, space)
        prepare(space)
        server.sql("".join("UPDATE %s.%s SET touched = 1;" % (space, table) for table in TABLES))
        if kind != "mariadb":
            server.sql("USE %s; SET binlog_row_value_options = PARTIAL_JSON;" % space + PARTIAL_UPDATES,
                       "--default-character-set=utf8mb4")
        server.sql("UPDATE %s.lab_numbers SET n = -1 WHERE n = 0" % space)
        pipeline.wait_for(lambda: pipeline.query("SELECT min(n) FROM lab_%s.lab_numbers" % space)[0][0] == -1,
                          "the last update of " + space)
        compare(server, pipeline, space, kind)
        compare_misfits(server, pipeline, space)
    mysql_charsets.compare(server, pipeline, "minimal", lab.expect)
    server.sql("SET sql_mode = ''; INSERT INTO full.stops VALUES (1, '2024-02-29'), (2, '2024-00-10')")
    lab.expect(pipeline.wait_end() == 3, "a zero date does not stop")
    for part in ('\\"full\\".\\"stops\\", column \\"d\\"', "2024-00-10", "on_type_error"):
        lab.expect(part in pipeline.log_tail(), "the reason lacks %r: %s" % (part, pipeline.log_tail()))


main()
