// SPDX-License-Identifier: MIT
/*
 * What DDL does to tables: statements as people and tools write them, and as nobody should.
 *
 * A shape is printed as "name type [charset] [not null] [=default] [#place in the key]", columns
 * separated by "; ". ALTERs start from BASE.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "check.h"
#include "ddl_read.h"
#include "memory.h"

#define BASE                                                                                       \
    "CREATE TABLE t (id int NOT NULL, a varchar(10) CHARACTER SET latin1, b int DEFAULT 7, "       \
    "PRIMARY KEY (id))"
#define BASE_SHAPE "id int not null #0; a varchar(10) latin1; b int =7"

static void print_shape(const struct mr_table_shape *shape, char *text, size_t size)
{
    size_t length = 0;
    text[0] = '\0';
    for (uint16_t i = 0; i < shape->count; i++) {
        const struct mr_shape_column *column = &shape->columns[i];
        char key[16] = "";
        if (column->key_index != MR_NOT_IN_KEY) {
            (void)snprintf(key, sizeof(key), " #%u", column->key_index);
        }
        length += (size_t)snprintf(
            text + length, size - length, "%s%s %s%s%s%s%s%s%s%s", i == 0 ? "" : "; ", column->name,
            column->type, column->charset == NULL ? "" : " ",
            column->charset == NULL ? "" : column->charset, column->charset_is_guessed ? "?" : "",
            column->nullable ? "" : " not null", column->fallback == NULL ? "" : " =",
            column->fallback == NULL ? "" : column->fallback, key);
        assert_true(length < size);
    }
}

static const struct create_case {
    const char *statement;
    const char *shape; /* NULL: no columns are listed, or they are not understood */
    bool is_maria;
} create_cases[] = {
    {BASE, BASE_SHAPE, false},
    {"create table if not exists `d`.`t` (`a b` INT(11) unsigned NOT NULL AUTO_INCREMENT PRIMARY "
     "KEY COMMENT 'it''s, (odd)')",
     "a b int(11) unsigned not null #0", false},
    {"CREATE TABLE t (a INTEGER, b DEC(5), c NUMERIC, d REAL, e DOUBLE PRECISION, f FLOAT(30), "
     "g FLOAT(7,3), h BOOL, i INT8, j MIDDLEINT)",
     "a int; b decimal(5,0); c decimal(10,0); d double; e double; f double; g float(7,3); "
     "h tinyint(1); i bigint; j mediumint",
     false},
    {"CREATE TABLE t (a CHAR, b CHARACTER VARYING(5), c NATIONAL VARCHAR(3), d NCHAR(2), e LONG, "
     "f LONG VARBINARY, g BIT, h YEAR(4), i BINARY) DEFAULT CHARSET=utf8",
     "a char(1) utf8mb3; b varchar(5) utf8mb3; c varchar(3) utf8mb3; d char(2) utf8mb3; "
     "e mediumtext utf8mb3; f mediumblob; g bit(1); h year; i binary(1)",
     false},
    {"CREATE TABLE t (a TEXT(100), b TEXT(70000), c BLOB(20000000), d TINYTEXT) COLLATE "
     "latin1_swedish_ci",
     "a tinytext latin1; b mediumtext latin1; c longblob; d tinytext latin1", false},
    {"CREATE TABLE t (e ENUM('a','it''s','x,y)') NOT NULL DEFAULT 'a', s SET(_utf8'p',\"q\"))",
     "e enum('a','it''s','x,y)') utf8mb4? not null =a; s set('p','q') utf8mb4?", false},
    {"CREATE TABLE t (a VARCHAR(5) CHARACTER SET binary, b TEXT BYTE, c CHAR(2) COLLATE binary)",
     "a varbinary(5); b blob; c binary(2)", false},
    {"CREATE TABLE t (a INT DEFAULT -5, b DECIMAL(5,2) DEFAULT 1.50, c BIT(3) DEFAULT b'101', "
     "d TIMESTAMP DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), e VARCHAR(9) "
     "DEFAULT "
     "(uuid()), f INT DEFAULT NULL, g BOOL DEFAULT TRUE, h DOUBLE DEFAULT 1e-3)",
     "a int =-5; b decimal(5,2) =1.50; c bit(3) =b'101'; d timestamp =CURRENT_TIMESTAMP(); e "
     "varchar(9) "
     "utf8mb4? =(uuid()); f int; g tinyint(1) =1; h double =1e-3",
     false},
    {"CREATE TABLE t (a VARCHAR(9) DEFAULT 'it''s', j JSON)",
     "a varchar(9) utf8mb4? ='it''s'; j longtext utf8mb4", true},
    {"CREATE TABLE t (a INT, b INT GENERATED ALWAYS AS (a + 1) STORED, c INT AS (f(a, ')')) "
     "VIRTUAL, KEY k (a), CONSTRAINT p PRIMARY KEY USING BTREE (b, a(3) DESC), CONSTRAINT x "
     "FOREIGN "
     "KEY (a) REFERENCES o (a) ON DELETE SET NULL, CHECK (a > 0)) ENGINE=InnoDB PARTITION BY "
     "RANGE (a) (PARTITION p0 VALUES LESS THAN (10))",
     "a int not null #1; b int not null #0; c int", false},
    {"CREATE TABLE t (a INT REFERENCES o (x) ON UPDATE CASCADE, b SERIAL, c INT INVISIBLE)",
     "a int; b bigint unsigned not null; c int", false},
    {"/*!50001 CREATE TABLE t (a int /* no */ , -- (\n b int # )\n ) */", "a int; b int", false},
    {"CREATE /*M! OR REPLACE */ TABLE t (a int)", "a int", true},
    {"CREATE TABLE t (`key` int, `primary` int, `index` int)", "key int; primary int; index int",
     false},
    {"CREATE TABLE t (\"a\" int)", "a int", false},
    {"CREATE TABLE t SELECT 1 AS a", NULL, false},
    {"CREATE TABLE t (a int) AS SELECT 1 AS b", NULL, false},
    {"CREATE TABLE t (a int", NULL, false},
    {"CREATE TABLE t ()", NULL, false},
    {"CREATE TABLE t LIKE u", NULL, false},
};

static void new_tables_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(create_cases); i++) {
        const struct create_case *c = &create_cases[i];
        struct mr_ddl ddl;
        struct mr_table_shape shape = {0};
        char text[2000];
        print_message("    %s\n", c->statement);
        mr_ddl_read(mr_slice_of(c->statement), &ddl);
        assert_int_equal(ddl.kind, MR_DDL_CREATE);
        const bool is_read = mr_ddl_create(&ddl, c->is_maria, &shape);
        print_shape(&shape, text, sizeof(text));
        assert_int_equal(is_read, c->shape != NULL);
        if (c->shape != NULL) {
            assert_string_equal(text, c->shape);
        }
        mr_table_shape_done(&shape);
        mr_ddl_done(&ddl);
    }
}

static const struct alter_case {
    const char *clauses;
    const char *shape; /* NULL: as it was */
    const char
        *marks; /* ? not understood, ! moves rows, >name renamed to, old=new renamed columns */
} alter_cases[] = {
    {"ADD COLUMN c int", BASE_SHAPE "; c int", ""},
    {"ADD c int NOT NULL FIRST", "c int not null; " BASE_SHAPE, ""},
    {"add column (c int, d text)", BASE_SHAPE "; c int; d text latin1?", ""},
    {"ADD COLUMN c int AFTER id, ADD COLUMN d int AFTER c",
     "id int not null #0; c int; d int; a varchar(10) latin1; b int =7", ""},
    {"ADD COLUMN IF NOT EXISTS b int DEFAULT 7", NULL, ""},
    {"ADD INDEX (a), ADD UNIQUE KEY k (b), ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES o (b), ADD "
     "FULLTEXT (a), ADD CONSTRAINT CHECK (b > 0)",
     NULL, ""},
    {"DROP COLUMN b, DROP a", "id int not null #0", ""},
    {"DROP INDEX k, DROP KEY j, DROP FOREIGN KEY f, DROP CHECK c, DROP CONSTRAINT d", NULL, ""},
    {"DROP COLUMN IF EXISTS zz", NULL, ""},
    {"DROP PRIMARY KEY", "id int not null; a varchar(10) latin1; b int =7", ""},
    {"DROP PRIMARY KEY, ADD PRIMARY KEY (b, id)",
     "id int not null #1; a varchar(10) latin1; b int not null =7 #0", ""},
    {"MODIFY b bigint unsigned NOT NULL FIRST",
     "b bigint unsigned not null; id int not null #0; a varchar(10) latin1", ""},
    {"MODIFY COLUMN a varchar(20)", "id int not null #0; a varchar(20) latin1?; b int =7", ""},
    {"CHANGE a aa text AFTER b", "id int not null #0; b int =7; aa text latin1?", "a=aa"},
    {"CHANGE COLUMN id id bigint", "id bigint not null #0; a varchar(10) latin1; b int =7", ""},
    {"CHANGE a b int, CHANGE b a varchar(3)", "id int not null #0; b int; a varchar(3) utf8mb4?",
     "a=b b=a"},
    {"RENAME COLUMN a TO b, RENAME COLUMN b TO a",
     "id int not null #0; b varchar(10) latin1; a int =7", "a=b b=a"},
    {"RENAME COLUMN id TO `new id`", "new id int not null #0; a varchar(10) latin1; b int =7",
     "id=new id"},
    {"RENAME COLUMN a TO c, ADD COLUMN a int",
     "id int not null #0; c varchar(10) latin1; b int =7; a int", "a=c"},
    {"DROP COLUMN a, ADD COLUMN a int AFTER id", "id int not null #0; a int; b int =7", ""},
    {"RENAME TO u", NULL, ">u"},
    {"RENAME AS `x`.`u`, ADD c int", BASE_SHAPE "; c int", ">u"},
    {"RENAME INDEX a TO b, RENAME KEY c TO d", NULL, ""},
    {"ALTER b SET DEFAULT 9", "id int not null #0; a varchar(10) latin1; b int =9", ""},
    {"ALTER COLUMN b DROP DEFAULT", "id int not null #0; a varchar(10) latin1; b int", ""},
    {"ALTER INDEX k INVISIBLE, ALTER CHECK c NOT ENFORCED", NULL, ""},
    {"CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
     "id int not null #0; a varchar(10) utf8mb4; b int =7", ""},
    {"DEFAULT CHARACTER SET = utf8mb4, COLLATE utf8mb4_bin", NULL, ""},
    {"ENGINE=InnoDB, ALGORITHM=INPLACE, LOCK=NONE, AUTO_INCREMENT = 5, COMMENT='a, b'", NULL, ""},
    {"ORDER BY a, b", NULL, "?"},
    {"ADD PARTITION (PARTITION p1 VALUES LESS THAN (20))", NULL, ""},
    {"REORGANIZE PARTITION p0 INTO (PARTITION a VALUES LESS THAN (5))", NULL, ""},
    {"DROP PARTITION p0, p1", NULL, "?!"},
    {"TRUNCATE PARTITION ALL", NULL, "!"},
    {"EXCHANGE PARTITION p0 WITH TABLE u WITHOUT VALIDATION", NULL, "!"},
    {"DISCARD TABLESPACE", NULL, "!"},
    {"/*! ADD COLUMN c int */", BASE_SHAPE "; c int", ""},
    {"ADD COLUMN `c``d` int COMMENT ', DROP COLUMN id'", BASE_SHAPE "; c`d int", ""},
    {"ADD COLUMN c int GENERATED ALWAYS AS (id + 1) VIRTUAL, FORCE", BASE_SHAPE "; c int", ""},
    {"ADD COLUMN c varchar(5) CHARACTER SET utf8 COLLATE utf8_bin DEFAULT ')'",
     BASE_SHAPE "; c varchar(5) utf8mb3 =)", ""},
    {"WAIT 5 ADD COLUMN c int", BASE_SHAPE "; c int", ""},
    {"FROBNICATE x", NULL, "?"},
    {"ADD COLUMN", NULL, "?"},
    {"MODIFY zz int", NULL, "?"},
    {"", NULL, ""},
    {"ADD COLUMN c int)", BASE_SHAPE "; c int", ""},
    {"ADD COLUMN c enum('a", BASE_SHAPE "; c enum('a') latin1?", ""},
};

static void print_marks(const struct mr_ddl_altered *altered, const struct mr_table_shape *shape,
                        char *text, size_t size)
{
    struct mr_writer names = {0};
    size_t length = (size_t)snprintf(
        text, size, "%s%s%s%s", altered->is_understood ? "" : "?", altered->moves_rows ? "!" : "",
        altered->renamed_to.table != NULL ? ">" : "",
        altered->renamed_to.table != NULL ? altered->renamed_to.table : "");
    mr_writer_init(&names, 4096);
    mr_table_shape_renamed(shape, &names);
    for (size_t i = 0, ends = 0; i < names.length; i++) {
        const bool is_end = names.bytes[i] == MR_NOTE_NAME_END;
        ends += is_end ? 1 : 0;
        if (!is_end || i + 1 < names.length) {
            text[length++] = !is_end ? (char)names.bytes[i] : ends % 2 == 1 ? '=' : ' ';
        }
    }
    text[length] = '\0';
    mr_writer_done(&names);
}

static void altered_tables_are_followed(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(alter_cases); i++) {
        const struct alter_case *c = &alter_cases[i];
        struct mr_ddl ddl;
        struct mr_ddl_altered altered;
        struct mr_table_shape shape = {0};
        char text[2000];
        char statement[500];
        print_message("    %s\n", c->clauses);
        mr_ddl_read(mr_slice_of(BASE), &ddl);
        assert_true(mr_ddl_create(&ddl, false, &shape));
        mr_ddl_done(&ddl);
        (void)snprintf(statement, sizeof(statement), "ALTER TABLE `d`.t %s", c->clauses);
        mr_ddl_read(mr_slice_of(statement), &ddl);
        assert_int_equal(ddl.kind, MR_DDL_ALTER);
        assert_string_equal(ddl.names[0].space, "d");
        mr_ddl_alter(&ddl, false, &shape, &altered);
        print_shape(&shape, text, sizeof(text));
        assert_string_equal(text, c->shape != NULL ? c->shape : BASE_SHAPE);
        print_marks(&altered, &shape, text, sizeof(text));
        assert_string_equal(text, c->marks);
        free(altered.renamed_to.space);
        free(altered.renamed_to.table);
        free(altered.exchanged.space);
        free(altered.exchanged.table);
        mr_table_shape_done(&shape);
        mr_ddl_done(&ddl);
    }
}

static const struct kind_case {
    const char *statement;
    enum mr_ddl_kind kind;
    const char *names;
} kind_cases[] = {
    {"DROP TABLE IF EXISTS `a`.`b`, c /* generated by server */", MR_DDL_DROP, "a.b c "},
    {"DROP TEMPORARY TABLE a", MR_DDL_NONE, ""},
    {"CREATE TEMPORARY TABLE a (b int)", MR_DDL_NONE, ""},
    {"DROP DATABASE IF EXISTS `d`", MR_DDL_DROP_SPACE, "d. "},
    {"DROP SCHEMA d", MR_DDL_DROP_SPACE, "d. "},
    {"CREATE DATABASE d", MR_DDL_NONE, ""},
    {"RENAME TABLE t TO _t_del, _t_gho TO t", MR_DDL_RENAME, "t _t_del _t_gho t "},
    {"rename tables `d`.`t` to `d`.`_t_old`, `d`.`_t_new` to `d`.`t`", MR_DDL_RENAME,
     "d.t d._t_old d._t_new d.t "},
    {"RENAME TABLE t WAIT 3 TO u", MR_DDL_RENAME, "t u "},
    {"RENAME USER a TO b", MR_DDL_NONE, ""},
    {"ALTER ONLINE IGNORE TABLE t FORCE", MR_DDL_ALTER, "t "},
    {"ALTER DATABASE d CHARACTER SET utf8", MR_DDL_NONE, ""},
    {"ALTER VIEW v AS SELECT 1", MR_DDL_NONE, ""},
    {"CREATE OR REPLACE VIEW v AS SELECT 1", MR_DDL_NONE, ""},
    {"CREATE DEFINER=`a`@`%` TRIGGER x BEFORE INSERT ON t FOR EACH ROW SET @a = 1", MR_DDL_NONE,
     ""},
    {"CREATE UNIQUE INDEX i ON t (a)", MR_DDL_NONE, ""},
    {"CREATE TABLE t LIKE u", MR_DDL_CREATE, "t u "},
    {"CREATE TABLE t (LIKE d.u)", MR_DDL_CREATE, "t d.u "},
    {"CREATE OR REPLACE TABLE t (a int)", MR_DDL_CREATE, "t "},
    {"SET STATEMENT max_statement_time = 1 FOR ALTER TABLE t ADD a int", MR_DDL_ALTER, "t "},
    {"SET GLOBAL a = 1", MR_DDL_NONE, ""},
    {"GRANT SELECT ON *.* TO x", MR_DDL_NONE, ""},
    {"/* a comment */ -- and another\n DROP TABLE t", MR_DDL_DROP, "t "},
    {"DROP TABLE", MR_DDL_UNKNOWN, ""},
    {"RENAME TABLE a", MR_DDL_UNKNOWN, "a "},
    {"ALTER TABLE", MR_DDL_UNKNOWN, ""},
    {"FLIP TABLE t", MR_DDL_UNKNOWN, ""},
    {"", MR_DDL_NONE, ""},
    {"/* never closed", MR_DDL_NONE, ""},
    {"/*!", MR_DDL_NONE, ""},
    {"DROP TABLE `never closed", MR_DDL_DROP, "never closed "},
};

static void statements_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(kind_cases); i++) {
        const struct kind_case *c = &kind_cases[i];
        struct mr_ddl ddl;
        char names[500] = "";
        print_message("    %s\n", c->statement);
        mr_ddl_read(mr_slice_of(c->statement), &ddl);
        assert_int_equal(ddl.kind, c->kind);
        for (uint32_t n = 0; n < ddl.name_count; n++) {
            (void)snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s%s ",
                           ddl.names[n].space != NULL ? ddl.names[n].space : "",
                           ddl.names[n].space != NULL ? "." : "",
                           ddl.names[n].table != NULL ? ddl.names[n].table : "");
        }
        assert_string_equal(names, c->names);
        mr_ddl_done(&ddl);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_tables_are_read),
        cmocka_unit_test(altered_tables_are_followed),
        cmocka_unit_test(statements_are_told_apart),
    };
    return cmocka_run_group_tests_name("ddl_read", tests, NULL, NULL);
}
