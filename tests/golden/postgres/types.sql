CREATE TABLE types (id bigint PRIMARY KEY, b boolean, s smallint, i integer, r real,
  d double precision, n numeric(12,2), m numeric(38,10), u numeric, c char(4), v varchar(8), x text,
  y bytea, dt date, tm time, ts timestamp(3), tz timestamptz, uu uuid, j json, jb jsonb, na name,
  o oid);
-- RECORD
INSERT INTO types VALUES (1, true, -2, 3, 1.5, -0.1, -12.30,
  1234567890123456789012345678.0123456789, 1e-20, 'ab', 'cd', 'é ☕', '\x00ff', '1999-12-31',
  '23:59:59.5', '2000-01-01 00:00:00.0015', '2024-02-29 12:00:00+02',
  '00112233-4455-6677-8899-aabbccddeeff', '{"a": 1}', '{"a":1}', 'nm', 4294967295);
INSERT INTO types VALUES (2, false, 32767, -2147483648, 'NaN', '-Infinity', 9999999999.99, 0, 'NaN',
  '', '', '', '', '0044-03-15 BC', '24:00', '0001-01-01', '9999-12-31 23:59:59.999999+00',
  '00000000-0000-0000-0000-000000000000', '[]', 'null', '', 0);
INSERT INTO types (id) VALUES (3);
INSERT INTO types (id, n, m, u) VALUES (4, 0.01, -0.0000000001, 12345678901234567890.10),
  (5, 10000, 10000000000000000000000000000 - 1, -0.5), (6, 0, 1, 1e30);
