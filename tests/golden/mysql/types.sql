-- Every type with its boundary values. Sent to each server as it is; @maria is 1 on MariaDB.
CREATE TABLE ints (
  id bigint unsigned NOT NULL PRIMARY KEY,
  t tinyint, tu tinyint unsigned, s smallint, su smallint unsigned,
  m mediumint, mu mediumint unsigned, i int, iu int unsigned, b bigint, bu bigint unsigned,
  z int(8) unsigned zerofill, flag tinyint(1) NOT NULL DEFAULT 1);
INSERT INTO ints VALUES
  (0, -128, 0, -32768, 0, -8388608, 0, -2147483648, 0, -9223372036854775808, 0, 0, 0),
  (1, 127, 255, 32767, 65535, 8388607, 16777215, 2147483647, 4294967295, 9223372036854775807, 18446744073709551615, 42, 1),
  (2, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, 99999999, 1),
  (18446744073709551615, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1);

CREATE TABLE numbers (
  id int NOT NULL PRIMARY KEY,
  d5_2 decimal(5,2), d10 decimal(10,0), d18_4 decimal(18,4) NOT NULL DEFAULT 1.5, d19_9 decimal(19,9),
  d38_10 decimal(38,10), d38_30 decimal(38,30), d65_30 decimal(65,30), d30_30 decimal(30,30),
  du decimal(9,9) unsigned, f float, d double, f2 float(7,3), d2 double(15,4),
  b1 bit(1), b10 bit(10), b64 bit(64), y year);
INSERT INTO numbers VALUES
  (1, -999.99, -9999999999, -99999999999999.9999, -9999999999.999999999, -9999999999999999999999999999.9999999999,
   -99999999.999999999999999999999999999999, -99999999999999999999999999999999999.999999999999999999999999999999, -0.999999999999999999999999999999,
   0, -3.402823466e38, -1.7976931348623157e308, -9999.999, -12345678901.2345, b'0', b'0', b'0', 1901),
  (2, 999.99, 9999999999, 99999999999999.9999, 9999999999.999999999, 9999999999999999999999999999.9999999999,
   99999999.999999999999999999999999999999, 99999999999999999999999999999999999.999999999999999999999999999999, 0.999999999999999999999999999999,
   0.999999999, 3.402823466e38, 1.7976931348623157e308, 9999.999, 12345678901.2345, b'1', b'1111111111',
   b'1111111111111111111111111111111111111111111111111111111111111111', 2155),
  (3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, b'1', b'1000000001', b'1000000000000000000000000000000000000000000000000000000000000000', 0),
  (4, 0.05, 1, 0.0001, -0.000000001, 1234567890.0123456789, 0.1, 0.05, 0.5, 0.1, 0.1, 0.1, 0.125, 1e-4, NULL, NULL, NULL, 1970),
  (5, NULL, NULL, 7, NULL, NULL, NULL, NULL, NULL, NULL, 1.17549435e-38, 2.2250738585072014e-308, NULL, NULL, NULL, NULL, NULL, NULL),
  (6, -0.01, -1, -7, 1, -1, -1, -1, -0.1, NULL, 16777217, 9007199254740993, 1.5, 1e10, NULL, NULL, NULL, 2000);

CREATE TABLE times (
  id int NOT NULL PRIMARY KEY,
  d date, dt datetime, dt1 datetime(1), dt3 datetime(3), dt6 datetime(6),
  ts timestamp NULL, ts2 timestamp(2) NULL, ts6 timestamp(6) NULL,
  t time, t1 time(1), t3 time(3), t6 time(6));
SET time_zone = '+00:00';
INSERT INTO times VALUES
  (1, '1000-01-01', '1000-01-01 00:00:00', '1000-01-01 00:00:00.1', '1000-01-01 00:00:00.001', '1000-01-01 00:00:00.000001',
   '1970-01-01 00:00:01', '1970-01-01 00:00:01.01', '1970-01-01 00:00:01.000001',
   '-838:59:59', '-838:59:58.9', '-838:59:58.999', '-838:59:58.999999'),
  (2, '9999-12-31', '9999-12-31 23:59:59', '9999-12-31 23:59:59.9', '9999-12-31 23:59:59.999', '9999-12-31 23:59:59.999999',
   '2038-01-19 03:14:07', '2038-01-19 03:14:07.99', '2038-01-19 03:14:07.999999',
   '838:59:59', '838:59:58.9', '838:59:58.999', '838:59:58.999999'),
  (3, '2024-02-29', '2024-02-29 12:34:56', '2024-02-29 12:34:56.7', '2024-02-29 12:34:56.789', '2024-02-29 12:34:56.789012',
   '2024-02-29 12:34:56', '2024-02-29 12:34:56.78', '2024-02-29 12:34:56.789012',
   '-00:00:01', '-00:00:00.1', '-00:00:00.001', '-00:00:00.000001'),
  (4, '0001-01-01', '0001-01-01 00:00:00', NULL, NULL, NULL, NULL, NULL, NULL, '00:00:00', '00:00:00.0', '-01:00:00', '100:00:00.5'),
  (5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

CREATE TABLE texts (
  id int NOT NULL, part varchar(20) CHARACTER SET latin1 NOT NULL,
  c char(10) CHARACTER SET utf8mb4, c255 char(255) CHARACTER SET utf8mb4, v varchar(100) CHARACTER SET utf8mb4,
  v3 varchar(300) CHARACTER SET utf8, vl varchar(100) CHARACTER SET latin1, va varchar(20) CHARACTER SET ascii,
  vk varchar(20) CHARACTER SET koi8r, vu varchar(20) CHARACTER SET utf16, vg varchar(20) CHARACTER SET gbk,
  tt tinytext CHARACTER SET utf8mb4, t text CHARACTER SET utf8mb4, mt mediumtext CHARACTER SET latin1, lt longtext CHARACTER SET utf8mb4,
  b5 binary(5), b255 binary(255), vb varbinary(300), tb tinyblob, bl blob, mb mediumblob, lb longblob,
  e enum('small','it''s','back\\slash','comma,d','Ünï') CHARACTER SET utf8mb4,
  el enum('ä','ö') CHARACTER SET latin1 DEFAULT 'ö',
  st set('a','b c','d''e','ß') CHARACTER SET utf8mb4,
  PRIMARY KEY (part, id));
INSERT INTO texts VALUES
  (1, 'ké', 'abc  ', REPEAT('ü', 255), 'Grüße 🚗', REPEAT('é', 300), '€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸäöü', 'plain', 'Привет', 'üΩ🚗', '停车',
   'tiny ☃', 'text', 'mediüm', 'löng', x'0102', x'00', x'0001ff00', x'ff', x'00ff', x'deadbeef', x'', 'it''s', 'ö', 'a,b c,d''e,ß'),
  (2, '', '', '', '', '', '', '', '', '', '', '', '', '', '', x'0000000000', REPEAT(x'41', 255), '', '', '', '', '', 'Ünï', 'ä', ''),
  (3, 'x', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (4, 'y', ' lead', 'a', 'tab\tnl\nnul\0end', 'q''"\\', '', '', '', '', '', '', REPEAT('x', 1000), '', REPEAT('long ', 200),
   x'0100000000', x'00', REPEAT(x'00', 300), x'00', REPEAT(x'0a', 300), '', REPEAT(x'fe', 300), 'back\\slash', 'ö', 'ß');
SET sql_mode = '';
INSERT INTO texts (id, part, e) VALUES (5, 'z', 'not a label');
SET sql_mode = DEFAULT;

CREATE TABLE shapes (id int NOT NULL PRIMARY KEY, g geometry, p point, y polygon);
INSERT INTO shapes VALUES (1, ST_GeomFromText('POINT(1 2)'), ST_GeomFromText('POINT(-1.5 2.25)'), ST_GeomFromText('POLYGON((0 0,0 1,1 1,0 0))')), (2, NULL, NULL, NULL);

-- Inserts, updates and deletes, keys that change, several tables in one transaction.
CREATE TABLE keyed (a int NOT NULL, b varchar(10) CHARACTER SET utf8mb4 NOT NULL, v int, PRIMARY KEY (b, a));
CREATE TABLE keyless (v int, t varchar(10) CHARACTER SET utf8mb4);
START TRANSACTION;
INSERT INTO keyed VALUES (1, 'one', 10), (2, 'two', 20), (3, 'three', 30);
INSERT INTO keyless VALUES (1, 'a'), (1, 'a'), (NULL, NULL);
UPDATE keyed SET v = v + 1;
UPDATE keyed SET a = 4 WHERE a = 1;
COMMIT;
START TRANSACTION;
UPDATE keyless SET t = 'b' WHERE v = 1 LIMIT 1;
SAVEPOINT s1;
INSERT INTO keyed VALUES (9, 'nine', 9);
ROLLBACK TO s1;
DELETE FROM keyed WHERE a = 2;
DELETE FROM keyless WHERE v IS NULL;
INSERT INTO ints (id, flag) VALUES (77, 0);
COMMIT;
START TRANSACTION;
INSERT INTO keyed VALUES (100, 'gone', 1);
ROLLBACK;
INSERT INTO keyed VALUES (5, 'five', 50) ON DUPLICATE KEY UPDATE v = 51;
REPLACE INTO keyed VALUES (5, 'five', 52);
UPDATE keyed SET b = 'FIVE' WHERE a = 5;
CREATE TABLE outside (id int PRIMARY KEY, v int);
INSERT INTO outside VALUES (1, 1);
CREATE TABLE emptied (id int NOT NULL PRIMARY KEY, v varchar(5) CHARACTER SET utf8mb4);
INSERT INTO emptied VALUES (1, 'x'), (2, 'y');
TRUNCATE TABLE emptied;
INSERT INTO emptied VALUES (3, 'z');
CREATE TABLE parts (id int NOT NULL PRIMARY KEY, v int) PARTITION BY HASH (id) PARTITIONS 3;
INSERT INTO parts VALUES (1, 1), (2, 2), (3, 3);
UPDATE parts SET v = 9 WHERE id = 2;
