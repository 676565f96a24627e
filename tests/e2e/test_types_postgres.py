# SPDX-License-Identifier: MIT
"""Every type of PostgreSQL, through the snapshot and through the stream, into the real warehouse: both
must give what the source itself says, in the form that docs/TYPES.md promises.

    test_types_postgres.py KIND      postgres, postgres18, ...

One wide table has a column for each row of TYPES, and in its rows the values of each. It is copied, and
then all its rows are inserted again under other keys. The source's own words for a value (its text,
or numbers that it computes: days, microseconds, months) are compared with what DuckDB computes.
"""
import decimal
import json
import sys

import lab

KIND = sys.argv[1] if len(sys.argv) > 1 else "postgres"

# How a value is asked for: at the source, in the warehouse, and what both answers become. $ is the column.
ARRAY_OF_TEXT = "to_json($::text[])::text"
FORMS = {
    "text": ("$::text", "$::VARCHAR", str),
    "format": ("CASE WHEN $ IS DISTINCT FROM NULL THEN format('%s', $) END", "$::VARCHAR", str),
    "decimal": ("$::text", "$::VARCHAR", decimal.Decimal),
    "float": ("$::text", "$::VARCHAR", lambda text: repr(float(text))),
    "single": ("$::float8::text", "$::DOUBLE::VARCHAR", lambda text: repr(float(text))),
    "bytes": ("encode($, 'hex')", "lower(hex($))", str),
    "date": ("CASE WHEN isfinite($) THEN ($ - date '1970-01-01')::text ELSE $::text END",
             "CASE WHEN isfinite($) THEN date_diff('day', DATE '1970-01-01', $)::VARCHAR ELSE $::VARCHAR END", str),
    "stamp": ("CASE WHEN isfinite($) THEN trunc(extract(epoch FROM $) * 1000000)::text ELSE $::text END",
              "CASE WHEN isfinite($) THEN epoch_us($)::VARCHAR ELSE $::VARCHAR END", str),
    "interval": ("concat_ws(' ', extract(year FROM $) * 12 + extract(month FROM $), extract(day FROM $), "
                 "trunc(extract(hour FROM $) * 3600000000 + extract(minute FROM $) * 60000000 + "
                 "extract(microseconds FROM $)))",
                 "CASE WHEN $ IS NOT NULL THEN concat_ws(' ', datepart('year', $) * 12 + datepart('month', $), datepart('day', $), "
                 "datepart('hour', $) * 3600000000 + datepart('minute', $) * 60000000 + "
                 "datepart('microsecond', $)) END", str),
    "oid": ("$::oid::text", "$::VARCHAR", str),
    "money": ("$::numeric::text", "$::VARCHAR", str),
    "array": ("to_json($)::text", "$::VARCHAR", json.loads),       # of numbers and booleans
    "strings": (ARRAY_OF_TEXT, "$::VARCHAR", json.loads),          # of anything else, by its text
    "hstore": ("hstore_to_json($)::text", "$::VARCHAR", json.loads),
    "said": (None, "$::VARCHAR", json.loads),                      # values are (literal, JSON) pairs
}

LONG = "9" * 200
TYPES = [
    ("boolean", "text", ["true", "false"]),
    ("smallint", "text", ["-32768", "32767"]),
    ("integer", "text", ["-2147483648", "2147483647"]),
    ("bigint", "text", ["-9223372036854775808", "9223372036854775807"]),
    ("real", "single", ["1.5", "-3.4028235e38", "1e-45", "NaN", "Infinity", "-Infinity", "0.1"]),
    ("double precision", "float", ["1.7976931348623157e308", "5e-324", "NaN", "Infinity", "-Infinity", "0.1", "-0"]),
    ("numeric(12,2)", "text", ["0.01", "-9999999999.99", "12.3"]),
    ("numeric(38,10)", "text", ["9999999999999999999999999999.9999999999", "-0.0000000001"]),
    ("numeric(39,1)", "text", ["-" + "9" * 38 + ".9", "0", "NaN"]),
    ("numeric(5,0)", "text", ["99999", "-1"]),
    ("numeric(3,-2)", "text", ["12300", "-99900"]),
    ("numeric(2,5)", "decimal", ["0.00099", "-0.00001"]),
    ("numeric", "text", [LONG + "." + LONG, "-0.000", "NaN", "Infinity", "-Infinity", "1e-100"]),
    ("money", "money", ["-92233720368547758.08", "92233720368547758.07", "1.5"]),
    ("text", "text", ["", "h\u00e9 \U0001f600 \u0645\u0631\u062d\u0628\u0627", "it's \"q\" \\ \t", "null"]),
    ("varchar(20)", "text", ["v", ""]),
    ("char(5)", "format", ["ab", "abcde"]),
    ('"char"', "text", ["a", ""]),
    ("name", "text", ["a_name"]),
    ("xml", "text", ["<a b=\"1\">x</a>", "text only"]),
    ("bytea", "bytes", ["\\x", "\\x00ff10", "\\x5c5c27"]),
    ("date", "date", ["2000-01-01", "0001-01-01", "4713-01-01 BC", "5874897-12-31", "infinity", "-infinity"]),
    ("time", "text", ["00:00:00", "23:59:59.999999", "24:00:00", "12:30:00.5"]),
    ("time(0)", "text", ["12:30:01"]),
    ("timetz", "text", ["00:00:00+00", "23:59:59.999999-15:59:59", "12:00:00+05:30"]),
    ("timestamp", "stamp", ["2000-01-01 00:00:00", "4713-01-01 00:00:00 BC", "10000-01-01 00:00:00.000001",
                            "294246-12-31 23:59:59.999999", "infinity", "-infinity", "1969-12-31 23:59:59.9"]),
    ("timestamp(3)", "stamp", ["2024-02-29 12:00:00.123"]),
    ("timestamptz", "stamp", ["2000-01-01 00:00:00+02", "4713-01-02 00:00:00+00 BC", "294246-12-31 00:00:00+00",
                              "infinity", "-infinity"]),
    ("interval", "interval", ["1 year 2 mons 3 days 04:05:06.789", "-1 year +2 days -00:00:00.000001", "0",
                              "30 days", "1 mon", "2562047788:00:54.775807", "-178000000 years", "2147483647 days"]),
    ("uuid", "text", ["00112233-4455-6677-8899-aabbccddeeff", "00000000-0000-0000-0000-000000000000",
                      "ffffffff-ffff-ffff-ffff-ffffffffffff"]),
    ("json", "text", ['{"b": 1,  "a": [null, 1.0e5]}', '"x"', "null", "[]"]),
    ("jsonb", "text", ['{"b": 1, "a": [null, 100000.0]}', '"\\u00e9"', "null", "12345678901234567890.123"]),
    ("jsonpath", "text", ["$.a[*] ? (@ > 1)", "lax $"]),
    ("bit(3)", "text", ["101", "000"]),
    ("bit(9)", "text", ["101010101"]),
    ("varbit", "text", ["", "1", "101010101010"]),
    ("inet", "format", ["127.0.0.1", "10.0.0.1/8", "::1", "2001:db8::ff00:42:8329/64", "::ffff:1.2.3.4",
                        "::10.1.2.3", "::", "1::", "0:0:1::1", "1:0:0:2:0:0:0:3", "::2:0"]),
    ("cidr", "text", ["10.0.0.0/8", "192.168.1.5/32", "2001:db8::/32", "::/0"]),
    ("macaddr", "text", ["08:00:2b:01:02:03", "00:00:00:00:00:00"]),
    ("macaddr8", "text", ["08:00:2b:01:02:03:04:05"]),
    ("pg_lsn", "text", ["16/B374D848", "0/0", "FFFFFFFF/FFFFFFFF"]),
    ("tsvector", "text", ["'a':1A,3 'b' 'it''s':2B 'q\\\\q':5C", "", "'x':16383"]),
    ("tsquery", "text", ["'a' & ( 'b' | !'c':*AB ) <-> 'd'", "'x' <3> 'y'", "'it''s'"]),
    ("oid", "text", ["0", "4294967295"]),
    ("regclass", "oid", ["pg_class"]),
    ("regtype", "oid", ["integer"]),
    ("regproc", "oid", ["now"]),
    ("regnamespace", "oid", ["public"]),
    ("xid", "text", ["0", "4294967295"]),
    ("xid8", "text", ["0", "18446744073709551615"]),
    ("cid", "text", ["7"]),
    ("tid", "text", ["(0,1)", "(4294967295,65535)"]),
    ("point", "text", ["(1,2)", "(-1.5,1e+300)", "(0.0001,1e-05)", "(Infinity,NaN)"]),
    ("line", "text", ["{1,-1,0}"]),
    ("lseg", "text", ["[(0,0),(1,1.5)]"]),
    ("box", "text", ["(2,2),(0,0)"]),
    ("path", "text", ["((0,0),(1,1))", "[(0,0),(1,1),(2,0)]"]),
    ("polygon", "text", ["((0,0),(1,1),(2,0))"]),
    ("circle", "text", ["<(1,2),3.25>", "<(123456789012345,1e+15),0.1>"]),
    ("int4range", "text", ["[1,5)", "empty", "(,)", "[3,)", "(,-1)"]),
    ("int8range", "text", ["[1,9223372036854775807)"]),
    ("numrange", "text", ["[1.50,2.50]", "(NaN,)", "(0,1)"]),
    ("daterange", "text", ["[2024-01-01,infinity)", "[0044-03-15 BC,2024-01-01)"]),
    ("tsrange", "text", ["[\"2024-01-01 10:00:00\",\"2024-01-01 10:00:00.5\"]", "empty"]),
    ("tstzrange", "text", ["[\"2024-01-01 10:00:00+00\",)"]),
    ("int4multirange", "text", ["{}", "{[1,5),[7,9)}"]),
    ("nummultirange", "text", ["{[1.0,2.0],(3.5,)}"]),
    ("datemultirange", "text", ["{[2024-01-01,2024-01-03)}"]),
    ("tstzmultirange", "text", ["{[\"2024-01-01 10:00:00+00\",\"2024-01-02 00:00:00+00\")}"]),
    ("txid_snapshot", "text", ["10:20:10,14,15"]),
    ("refcursor", "text", ["a cursor"]),

    ("integer[]", "array", ["{}", "{1,NULL,3}", "{{1,2},{3,4}}", "{{{1},{NULL}}}"]),
    ("bigint[]", "array", ["{9223372036854775807,-1}"]),
    ("boolean[]", "array", ["{t,f,NULL}"]),
    ("text[]", "strings", ['{a,"b c","d\\"e","f\\\\g",NULL,"NULL","",h\u00e9}', '{{a,b},{c,d}}', '{"tab\\tand\nline"}']),
    ("varchar(5)[]", "strings", ["{a,b}"]),
    ("numeric(10,2)[]", "strings", ["{1.50,NaN,NULL,-0.01}"]),
    ("numeric[]", "strings", ["{%s,Infinity}" % LONG]),
    ("date[]", "strings", ["{2024-01-01,infinity,\"0044-03-15 BC\"}"]),
    ("time[]", "strings", ["{24:00:00,10:00:00.25}"]),
    ("timetz[]", "strings", ["{10:00:00+02}"]),
    ("timestamp[]", "strings", ["{\"2024-01-01 10:00:00.5\",-infinity,\"0001-01-01 00:00:00 BC\"}"]),
    ("timestamptz[]", "strings", ["{\"2024-01-01 10:00:00+00\"}"]),
    ("interval[]", "strings", ['{"1 year 2 mons 3 days 04:05:06.789","-1 days +02:03:00","00:00:00",'
                               '"-1 years -2 mons +3 days -04:05:06","1 mon","-00:00:01.5"}']),
    ("uuid[]", "strings", ["{00112233-4455-6677-8899-aabbccddeeff}"]),
    ("bytea[]", "strings", ['{"\\\\x00ff",NULL}']),
    ("json[]", "strings", ['{"{\\"a\\": 1}","null",NULL}']),
    ("jsonb[]", "strings", ['{"{\\"a\\": 1}","null",NULL}']),
    ("inet[]", "strings", ["{10.0.0.0/8,::1/64}"]),
    ("point[]", "strings", ['{"(1,2)","(3,4)"}']),
    ("box[]", "strings", ["{(2,2),(0,0);(3,3),(1,1)}"]),
    ("int4range[]", "strings", ['{"[1,5)",empty}']),
    ("tsrange[]", "strings", ['{"[\\"2024-01-01 10:00:00\\",)"}']),
    ("bit(3)[]", "strings", ["{101,000}"]),
    ("tsvector[]", "strings", ['{"\'a\':1 \'b\'"}']),
    ("tsquery[]", "format", ['{"\'a\' & \'b\'",NULL}']),
    ('"char"[]', "strings", ["{a,b}"]),
    ("name[]", "strings", ["{a,b}"]),
    ("oid[]", "said", [("{1,4294967295}", [1, 4294967295])]),
    ("int2vector", "said", [("1 2 3", [1, 2, 3]), ("", [])]),
    ("integer[]", "said", [("[0:1]={5,6}", {"lower": [0], "array": [5, 6]}),
                           ("[-1:0][2:2]={{1},{NULL}}", {"lower": [-1, 2], "array": [[1], [None]]})]),
    ("real[]", "said", [("{1.5,NaN,Infinity,NULL,1e10}", [1.5, "NaN", "Infinity", None, 1e10])]),
    ("float8[]", "said", [("{0.1,-Infinity,1e300}", [0.1, "-Infinity", 1e300])]),
    ("money[]", "said", [("{1.5,-2}", ["1.50", "-2.00"])]),

    ("mood", "text", ["sad", "it's \u00fc"]),
    ("mood[]", "strings", ["{sad,NULL,\"it's \u00fc\"}"]),
    ("posint", "text", ["7"]),
    ("posints", "array", ["{1,2}"]),
    ("posint[]", "array", ["{3,4}"]),
    ("price", "text", ["12.50"]),
    ("pair", "said", [('(1,"a \\"b\\"")', {"n": 1, "t": "a \"b\""}), ("(,)", {"n": None, "t": None})]),
    ("nested", "said", [('(7,"(1,x)","{""(2,y)"",NULL}",sad,"{1,2}","{""a"": 1}")',
                         {"id": 7, "one": {"n": 1, "t": "x"}, "many": [{"n": 2, "t": "y"}, None], "m": "sad",
                          "d": [1, 2], "j": "{\"a\": 1}"})]),
    ("pair[]", "said", [('{"(1,a)",NULL}', [{"n": 1, "t": "a"}, None])]),
    ("pair_domain", "said", [("(1,z)", {"n": 1, "t": "z"})]),
    ("textrange", "text", ["[a,b)", '["a b","c,d"]', '["",x)', '["q""q","r\\\\r"]']),
    ("hstore", "hstore", ['a=>1, "b c"=>NULL, "q\\"q"=>"\\\\"', ""]),
    ("citext", "text", ["MiXed", ""]),
    ("citext[]", "strings", ["{Ab,NULL}"]),
    ("ltree", "text", ["Top.Science.Astronomy", ""]),
    ("ltree[]", "strings", ["{a.b,c}"]),
    ("lquery", "text", ["*.Science.*"]),
    ("cube", "format", ["(1, 2, 3)", "(0),(1)"]),     # a binary form that nobody here reads
    ("cube[]", "format", ['{"(1)","(2)"}']),
    ("seg", "format", ["1.5 .. 2.5"]),                # no binary form at all
    ("isbn", "format", ["978-0-393-04002-9"]),
    ("geometry", "format", ["POINT(1 2)", "SRID=4326;POLYGON((0 0,1 0,1 1,0 0))", "POINT EMPTY"]),
    ("geometry(Point,4326)", "format", ["SRID=4326;POINT(13.4 52.5)"]),
    ("geography", "format", ["POINT(13.4 52.5)"]),
    ("geometry[]", "format", ["{010100000000000000000000000000000000000000:NULL}"]),
    ("vector(3)", "format", ["[1,2.5,-3]"]),
]

# What a column is in the warehouse, by its form; those that differ by their type.
TARGETS = {"text": "VARCHAR", "format": "VARCHAR", "float": "DOUBLE", "single": "FLOAT", "bytes": "BLOB",
           "date": "DATE", "stamp": "TIMESTAMP", "interval": "INTERVAL", "oid": "UINTEGER",
           "money": "DECIMAL(19,2)", "array": "JSON", "strings": "JSON", "hstore": "JSON", "said": "JSON",
           "boolean": "BOOLEAN", "smallint": "SMALLINT", "integer": "INTEGER", "bigint": "BIGINT",
           "numeric(12,2)": "DECIMAL(12,2)", "numeric(38,10)": "DECIMAL(38,10)", "numeric(5,0)": "DECIMAL(5,0)",
           "numeric(3,-2)": "DECIMAL(5,0)", "numeric(2,5)": "DECIMAL(5,5)", "price": "DECIMAL(10,2)", "posint": "INTEGER", "time": "TIME", "time(0)": "TIME",
           "timestamptz": "TIMESTAMP WITH TIME ZONE", "uuid": "UUID", "json": "JSON", "jsonb": "JSON",
           "oid:text": "UINTEGER", "xid": "UINTEGER", "cid": "UINTEGER", "xid8": "UBIGINT"}

SETUP = """
CREATE TYPE mood AS ENUM ('sad', 'it''s \u00fc');
CREATE DOMAIN posint AS int CHECK (value > 0);
CREATE DOMAIN posints AS int[];
CREATE DOMAIN price AS numeric(10,2);
CREATE TYPE pair AS (n int, t text);
CREATE DOMAIN pair_domain AS pair;
CREATE TYPE nested AS (id bigint, one pair, many pair[], m mood, d posints, j jsonb);
CREATE TYPE textrange AS RANGE (subtype = text);
"""
EXTENSIONS = {"hstore": "hstore", "citext": "citext", "citext[]": "citext", "ltree": "ltree", "ltree[]": "ltree",
              "lquery": "ltree", "cube": "cube", "cube[]": "cube", "seg": "seg", "isbn": "isn",
              "geometry": "postgis", "geometry(Point,4326)": "postgis", "geography": "postgis", "geometry[]": "postgis",
              "vector(3)": "vector"}


def literal(value):
    return "E'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def values_of(column):
    _, form, values = column
    return [value[0] if form == "said" else value for value in values]


def make(server):
    server.sql("CREATE DATABASE types")
    server.sql(SETUP, "-d", "types")
    missing = set()
    for name in sorted(set(EXTENSIONS.values())):
        try:
            server.sql("CREATE EXTENSION %s;" % name, "-d", "types")
        except RuntimeError as error:
            print("    left out: extension %s (%s)" % (name, str(error).splitlines()[0]))
            missing.add(name)
    columns = [column for column in TYPES if EXTENSIONS.get(column[0]) not in missing]
    lines = ["CREATE TABLE t (id int PRIMARY KEY%s);" %
             "".join(", c%d %s" % (i, column[0]) for i, column in enumerate(columns))]
    rows = max(len(column[2]) for column in columns) + 1  # the last row: nothing but NULL
    for row in range(rows):
        cells = [literal(values_of(c)[row]) + "::" + c[0] if row < len(c[2]) else "NULL" for c in columns]
        lines.append("INSERT INTO t VALUES (%d, %s);" % (row, ", ".join(cells)))
    server.sql("\n".join(lines), "-d", "types")
    return columns, rows


def asked(columns, side):
    """Expressions of all columns; a NULL stays one."""
    found = []
    for i, (_, form, _) in enumerate(columns):
        expression = FORMS[form][side]
        found.append("NULL" if expression is None else expression.replace("$", "c%d" % i))
    return found


def source_cells(server, columns):
    """[row][column] as the source says it; asked in slices, since a function takes 100 arguments."""
    cells = {}
    expressions = asked(columns, 0)
    for start in range(0, len(columns), 40):
        listed = ", ".join("CASE WHEN c%d IS DISTINCT FROM NULL THEN %s END" % (start + i, expression)
                           for i, expression in enumerate(expressions[start:start + 40]))
        answer = server.sql("SET timezone = 'UTC'; SET extra_float_digits = 1; "
                            "SELECT json_build_array(id, %s)::text FROM t ORDER BY id;" % listed, "-d", "types")
        for line in answer:
            row = json.loads("\t".join(line))
            cells.setdefault(row[0], []).extend(row[1:])
    return cells


def warehouse_cells(pipeline, columns):
    listed = ", ".join(expression if expression != "NULL" else "c%d::VARCHAR" % i
                       for i, expression in enumerate(asked(columns, 1)))
    return {row[0]: row[1:] for row in pipeline.query("SELECT id, %s FROM pg_public.t ORDER BY id" % listed)}


def compare(columns, source, target, offset, way):
    wrong = 0
    for row, cells in source.items():
        lab.expect(row + offset in target, "%s: row %d is not there" % (way, row))
        for i, (name, form, values) in enumerate(columns):
            parse = FORMS[form][2]
            wanted, got = cells[i], target[row + offset][i]
            if form == "said":
                wanted = json.dumps(values[row][1]) if row < len(values) else None
            same = got is None if wanted is None else got is not None and parse(got) == parse(wanted)
            if not same:
                wrong += 1
                print("    FAIL %s, %s, row %d: the source says %r, the warehouse %r" %
                      (way, name, row, wanted, got))
    return wrong


def compare_types(pipeline, columns):
    asked_types = ", ".join("typeof(c%d)" % i for i in range(len(columns)))
    got = pipeline.query("SELECT %s FROM pg_public.t LIMIT 1" % asked_types)[0]
    wrong = 0
    for (name, form, _), target in zip(columns, got):
        wanted = TARGETS.get(name + ":" + form, TARGETS.get(name) or TARGETS[form])
        if target != wanted:
            wrong += 1
            print("    FAIL %s is %s in the warehouse, not %s" % (name, target, wanted))
    return wrong


def has_rows(pipeline, count):
    return pipeline.query("SELECT count(*) FROM pg_public.t")[0][0] == count


# ---- Values that do not fit, and types that change. ----

POLICIES = """tables:
  - match: pg.public.unfit
    on_type_error: null
    columns: [{match: '*_text', on_type_error: text}]
"""

UNFIT = """
CREATE TABLE unfit (id int PRIMARY KEY, n numeric(10,2), n_text numeric(10,2), s timestamp, s_text timestamp,
                    i interval, i_text interval);
INSERT INTO unfit VALUES (1, 'NaN', 'NaN', '294276-12-31 23:59:59', '294276-12-31 23:59:59', '1 day', '1 day'),
                         (2, 1.5, 1.5, '2024-01-01', '2024-01-01', '0', '0');
"""
INFINITE = "INSERT INTO unfit (id, i, i_text) VALUES (3, 'infinity', '-infinity');"

CHANGING = """
CREATE TYPE growing AS (a int);
CREATE TABLE changing (id int PRIMARY KEY, v growing, vs growing[]);
INSERT INTO changing VALUES (1, '(1)', '{(1)}');
"""
SPANS = """
CREATE TABLE spans (v interval);
ALTER TABLE spans REPLICA IDENTITY FULL;
INSERT INTO spans VALUES ('30 days'), ('1 mon'), ('720 hours');
"""

GROWN = """
INSERT INTO changing VALUES (2, '(2)', '{(2)}');
ALTER TYPE growing ADD ATTRIBUTE b text;
INSERT INTO changing VALUES (3, '(3,x)', '{"(3,x)"}');
ALTER TYPE growing RENAME ATTRIBUTE b TO c;
ALTER TYPE growing ADD ATTRIBUTE d int;
INSERT INTO changing VALUES (4, '(4,y,5)', '{"(4,y,5)"}');
"""


def check_unfit(pipeline, server, has_infinity):
    """Copied rows are there; the same ones are streamed, under other keys."""
    server.sql("INSERT INTO unfit SELECT id + 10, n, n_text, s, s_text, i, i_text FROM unfit;", "-d", "types")
    rows = 6 if has_infinity else 4
    pipeline.wait_for(lambda: pipeline.query("SELECT count(*) FROM pg_public.unfit")[0][0] == rows, "unfit rows")
    wanted = {1: [None, "NaN", None, "294276-12-31 23:59:59", "P1D", "1 day"],
              2: ["1.50", "1.50", "2024-01-01T00:00:00", "2024-01-01 00:00:00", "PT0S", "00:00:00"]}
    if has_infinity:
        wanted[3] = [None, None, None, None, None, "-infinity"]
    for row in pipeline.query("SELECT id, n, n_text, s, s_text, i, i_text FROM pg_public.unfit"):
        lab.expect(row[1:] == wanted[row[0] % 10], "unfit row %r is not %r" % (row, wanted[row[0] % 10]))
    metrics = pipeline.get("/metrics")[1]
    for column in ("n", "s") + (("i",) if has_infinity else ()):
        line = 'millrace_values_nulled_total{source="pg",table="public.unfit",column="%s"} 2' % column
        lab.expect(line in metrics.splitlines(), "no %s" % line)
    table = [t for t in pipeline.status()["sources"][0]["tables"] if t["name"] == "public.unfit"][0]
    lab.expect(table["values_nulled"] == (6 if has_infinity else 4), "status counts %r" % table["values_nulled"])


ASIDE = """tables:
  - match: '*.public.aside'
    columns: [{match: n, on_type_error: quarantine}]
"""


def check_aside(server):
    """A table whose row does not fit stands still before that transaction; the others go on."""
    server.sql("CREATE TABLE aside (id int PRIMARY KEY, n numeric(10,2)); INSERT INTO aside VALUES (1, 1);"
               "CREATE TABLE beside (id int PRIMARY KEY);", "-d", "types")
    pipeline = lab.Pipeline(lab.config(lab.postgres_source(server, "pa", "types", "public.aside, public.beside")) + ASIDE)
    pipeline.start()
    pipeline.wait_ready()
    server.sql("INSERT INTO aside VALUES (2, 2);", "-d", "types")
    server.sql("BEGIN; INSERT INTO aside VALUES (3, 3); INSERT INTO beside VALUES (1); "
               "INSERT INTO aside VALUES (4, 'NaN'); COMMIT;", "-d", "types")
    server.sql("INSERT INTO aside VALUES (5, 5); INSERT INTO beside VALUES (2);", "-d", "types")
    pipeline.wait_for(lambda: pipeline.query("SELECT count(*) FROM pa_public.beside")[0][0] == 2, "the other table's rows")
    rows = pipeline.query("SELECT id FROM pa_public.aside ORDER BY id")
    lab.expect(rows == [[1], [2]], "the table that was set aside has %r" % rows)
    reasons = pipeline.query("SELECT space, \"table\", reason FROM millrace.quarantine")
    lab.expect(len(reasons) == 1 and reasons[0][:2] == ["public", "aside"] and '"n"' in reasons[0][2] and
               "NaN" in reasons[0][2], "millrace.quarantine has %r" % reasons)
    code = pipeline.stop()
    lab.expect(code == 5, "exit code %s, not 5: %s" % (code, pipeline.log_tail()))


def check_infinities(pipeline):
    """In the console's JSON too."""
    rows = pipeline.query("SELECT DISTINCT c::VARCHAR, c FROM (SELECT %s AS c FROM pg_public.t) WHERE isinf(c) "
                          "ORDER BY 1" % ("c%d" % [c[0] for c in TYPES].index("timestamptz")))
    lab.expect(rows == [["-infinity", "-infinity"], ["infinity", "infinity"]], "infinities: %r" % rows)


def check_keyless(pipeline, server):
    """Intervals that PostgreSQL and DuckDB call equal are three rows, of which the right one goes."""
    server.sql("DELETE FROM spans WHERE v::text = '1 mon';", "-d", "types")
    pipeline.wait_for(lambda: pipeline.query("SELECT count(*) FROM pg_public.spans")[0][0] == 2, "the deleted row")
    rows = pipeline.query("SELECT v::VARCHAR FROM pg_public.spans ORDER BY 1")
    lab.expect(rows == [["30 days"], ["720:00:00"]], "left are %r" % rows)


def check_changing(pipeline, server):
    server.sql(GROWN, "-d", "types")
    pipeline.wait_for(lambda: pipeline.query("SELECT count(*) FROM pg_public.changing")[0][0] == 4, "rows of altered types")
    wanted = {1: {"a": 1}, 2: {"a": 2}, 3: {"a": 3, "b": "x"}, 4: {"a": 4, "c": "y", "d": 5}}
    for number, value, values in pipeline.query("SELECT id, v::VARCHAR, vs::VARCHAR FROM pg_public.changing"):
        got = json.loads(value)
        if number == 3:  # the catalogs may have been ahead when it was read: the name is then the newer one
            got = {"b" if key == "c" else key: cell for key, cell in got.items()}
            values = values.replace('"c":', '"b":')
        lab.expect(got == wanted[number] and json.loads(values) == [wanted[number]],
                   "row %d of an altered type is %s, %s" % (number, value, values))


def main():
    server = lab.Server(KIND, "types")
    columns, rows = make(server)
    has_infinity = int(server.env["VERSION"].split(".")[0]) >= 17
    server.sql(UNFIT + (INFINITE if has_infinity else "") + CHANGING + SPANS, "-d", "types")
    pipeline = lab.Pipeline(lab.config(lab.postgres_source(server, "pg", "types")) + POLICIES)
    pipeline.start()
    pipeline.wait_ready()
    pipeline.wait_for(lambda: has_rows(pipeline, rows), "copied rows")
    source = source_cells(server, columns)
    wrong = compare_types(pipeline, columns)
    wrong += compare(columns, source, warehouse_cells(pipeline, columns), 0, "snapshot")

    listed = ", ".join("c%d" % i for i in range(len(columns)))
    server.sql("INSERT INTO t SELECT id + 1000, %s FROM t ORDER BY id;" % listed, "-d", "types")
    pipeline.wait_for(lambda: has_rows(pipeline, 2 * rows), "streamed rows")
    wrong += compare(columns, source, warehouse_cells(pipeline, columns), 1000, "stream")
    check_unfit(pipeline, server, has_infinity)
    check_infinities(pipeline)
    check_keyless(pipeline, server)
    check_changing(pipeline, server)
    lab.expect(pipeline.stop() == 0, "does not end well")
    check_aside(server)
    print("    %s: %d columns, %d values each way, %d wrong" %
          (KIND, len(columns), sum(len(c[2]) for c in columns), wrong))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
