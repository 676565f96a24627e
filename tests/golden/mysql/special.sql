-- Columns that are not what they seem, engines without transactions, XA in one phase.
CREATE TABLE computed (id int NOT NULL PRIMARY KEY, a int, v int AS (a + 1) VIRTUAL,
  s varchar(20) CHARACTER SET utf8mb4 AS (concat('x', a)) STORED, hidden int INVISIBLE DEFAULT 5);
INSERT INTO computed (id, a) VALUES (1, 10), (2, NULL);
UPDATE computed SET a = 11 WHERE id = 1;
CREATE TABLE searched (id int NOT NULL PRIMARY KEY, t text CHARACTER SET utf8mb4, FULLTEXT KEY (t));
INSERT INTO searched VALUES (1, 'hello');
CREATE TABLE isam (id int NOT NULL PRIMARY KEY, b bit(10), c bit(3), t varchar(10) CHARACTER SET utf8mb4) ENGINE=MyISAM;
INSERT INTO isam VALUES (1, b'1000000001', b'101', 'x');
START TRANSACTION;
INSERT INTO isam VALUES (2, b'1', b'1', 'stays');
INSERT INTO computed (id, a) VALUES (50, 1);
ROLLBACK;
XA START 'x';
INSERT INTO computed (id, a) VALUES (3, 30);
XA END 'x';
XA COMMIT 'x' ONE PHASE;
CREATE TABLE uniquely (a int, b int NOT NULL, UNIQUE KEY (b));
INSERT INTO uniquely VALUES (1, 1);
CREATE TABLE narrow (c0 char(0), c1 char(1) CHARACTER SET utf8mb4, v0 varchar(0), b0 binary(0));
INSERT INTO narrow VALUES ('', 'ä', '', ''), (NULL, NULL, NULL, NULL);
