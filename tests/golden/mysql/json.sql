-- MySQL only: binary JSON.
CREATE TABLE documents (id int NOT NULL PRIMARY KEY, j json);
INSERT INTO documents VALUES
  (1, '{}'), (2, '[]'), (3, 'null'), (4, 'true'), (5, '"text"'), (6, NULL),
  (7, '[0, -1, 32767, 32768, -32768, -32769, 65535, 65536, 2147483647, 2147483648, -2147483648, -2147483649, 4294967295, 4294967296, 9223372036854775807, -9223372036854775808, 18446744073709551615]'),
  (8, '[0.0, -0.0, 1.0, 1.5, 0.1, 1e10, 1e15, 1e16, 123456789012345680, 1e17, 1e100, 1e-5, 1e-14, 1e-15, 1e-16, 1.7976931348623157e308, 5e-324, 0.30000000000000004, 3.141592653589793, 1234567890123456.7]'),
  (9, '{"bb": 1, "a": 2, "ccc": {"x": [1, {"y": null}], "": false}, "aa": "z", "ä": "ö"}'),
  (10, '"quote \\" back \\\\ slash / ctl \\u0001 \\b\\f\\n\\r\\t \\u00e9 \\ud83d\\ude97 \\u007f"'),
  (11, JSON_OBJECT('d', CAST('2024-02-29' AS DATE), 't', CAST('-12:34:56.789' AS TIME(3)), 'dt', CAST('2024-02-29 12:34:56.123456' AS DATETIME(6)), 'dec', CAST(-123.4500 AS DECIMAL(10,4)), 'big', CAST(12345678901234567890.123456789 AS DECIMAL(30,9)), 'ts', TIMESTAMP'2020-01-01 00:00:00')),
  (12, JSON_ARRAY(x'00ff10', CAST(REPEAT('b', 100) AS BINARY), b'101', 1.50, 2e0)),
  (13, JSON_OBJECT('long', REPEAT('x', 70000), 'n', 1, 'i', -70000)),
  (14, JSON_ARRAY(REPEAT('y', 200), JSON_ARRAY(JSON_ARRAY(JSON_ARRAY(1)))));
UPDATE documents SET j = JSON_SET(j, '$.a', 3, '$.new', JSON_ARRAY(1, 2)) WHERE id = 9;
UPDATE documents SET j = JSON_REMOVE(j, '$[0]') WHERE id = 14;
DELETE FROM documents WHERE id = 1;
CREATE TABLE indexed (id int NOT NULL PRIMARY KEY, a int, j json, KEY f ((a * 2)),
  KEY m ((CAST(j->'$[*]' AS UNSIGNED ARRAY))));
INSERT INTO indexed VALUES (1, 5, '[1,2,3]');
