-- Only where the binlog carries names (binlog_row_metadata=FULL): the table changes under the rows.
CREATE TABLE changing (id int NOT NULL PRIMARY KEY, v varchar(10) CHARACTER SET utf8mb4, gone int);
INSERT INTO changing VALUES (1, 'one', 1);
ALTER TABLE changing ADD COLUMN w int NOT NULL DEFAULT 7 AFTER id, DROP COLUMN gone;
INSERT INTO changing VALUES (2, 22, 'two');
ALTER TABLE changing MODIFY v varchar(200) CHARACTER SET utf8mb4, MODIFY w bigint unsigned NOT NULL;
UPDATE changing SET v = REPEAT('v', 100) WHERE id = 1;
ALTER TABLE changing RENAME COLUMN v TO renamed;
DELETE FROM changing WHERE id = 2;
CREATE TABLE copied AS SELECT id, w FROM changing;
RENAME TABLE copied TO moved;
INSERT INTO moved VALUES (3, 4);
DROP TABLE moved;
