-- MySQL 9: tagged GTIDs, vectors.
SET gtid_next = 'AUTOMATIC:mytag';
INSERT INTO searched VALUES (2, 'tagged');
SET gtid_next = 'AUTOMATIC';
CREATE TABLE vectors (id int NOT NULL PRIMARY KEY, v vector(3));
INSERT INTO vectors VALUES (1, TO_VECTOR('[1,-2,0.5]'));
