-- GTIDs with tags; MySQL 8.4 and later.
SET gtid_next = 'AUTOMATIC:blue';
INSERT INTO plain VALUES (20, 1, 'blue');
SET binlog_transaction_compression = ON, gtid_next = 'AUTOMATIC:green_2';
UPDATE plain SET v = 2 WHERE id = 20;
SET gtid_next = 'AUTOMATIC', binlog_transaction_compression = OFF;
