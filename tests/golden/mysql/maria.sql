-- MariaDB only: a sequence's rows are no table's, JSON is text.
CREATE SEQUENCE counter;
SELECT NEXTVAL(counter);
CREATE TABLE texts_as_json (id int NOT NULL PRIMARY KEY, j JSON);
INSERT INTO texts_as_json VALUES (1, '{"a":1}');
