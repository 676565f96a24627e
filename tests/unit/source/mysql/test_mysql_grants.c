// SPDX-License-Identifier: MIT
/*
 * Lines of SHOW GRANTS as MySQL 8.0, 9.7 and MariaDB 10.11 print them.
 */
#include "check.h"

#include "mysql_grants.h"

static const struct grants_case {
    const char *label;
    const char *lines;
    const char *privilege;
    const char *space;
    bool granted;
} grants_cases[] = {
    {"nothing", "", "RELOAD", NULL, false},
    {"usage alone", "GRANT USAGE ON *.* TO `cdc`@`%`\n", "RELOAD", NULL, false},
    {"on the server", "GRANT SELECT, RELOAD ON *.* TO `cdc`@`%`\n", "RELOAD", NULL, true},
    {"on the server, for a database", "GRANT LOCK TABLES ON *.* TO `cdc`@`%`\n", "LOCK TABLES",
     "shop", true},
    {"on the database", "GRANT SELECT, LOCK TABLES ON `shop`.* TO `cdc`@`%`\n", "LOCK TABLES",
     "shop", true},
    {"on another database", "GRANT SELECT, LOCK TABLES ON `shop2`.* TO `cdc`@`%`\n", "LOCK TABLES",
     "shop", false},
    {"on one table", "GRANT SELECT ON `shop`.`t` TO `cdc`@`%`\n", "SELECT", "shop", false},
    {"all privileges", "GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION\n",
     "RELOAD", NULL, true},
    {"all privileges on the database", "GRANT ALL PRIVILEGES ON `shop`.* TO `cdc`@`%`\n",
     "LOCK TABLES", "shop", true},
    {"a part of another name", "GRANT REPLICATION SLAVE ADMIN ON *.* TO `cdc`@`%`\n",
     "REPLICATION SLAVE", NULL, false},
    {"in the second line",
     "GRANT USAGE ON *.* TO `cdc`@`%`\nGRANT LOCK TABLES ON `shop`.* TO `cdc`@`%`", "LOCK TABLES",
     "shop", true},
    {"a role's name", "GRANT `RELOAD`@`%` TO `cdc`@`%`\n", "RELOAD", NULL, false},
    {"a quoted name", "GRANT LOCK TABLES ON `a``b`.* TO `cdc`@`%`\n", "LOCK TABLES", "a`b", true},
    {"MariaDB's password", "GRANT RELOAD ON *.* TO `cdc`@`%` IDENTIFIED BY PASSWORD '*0'\n",
     "RELOAD", NULL, true},
    {"not a grant", "REVOKE RELOAD ON *.* TO `cdc`@`%`\n", "RELOAD", NULL, false},
};

static void grants_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(grants_cases); i++) {
        const struct grants_case *c = &grants_cases[i];
        print_message("    %s\n", c->label);
        assert_int_equal(mr_mysql_grants_has(mr_slice_of(c->lines), c->privilege, c->space),
                         c->granted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grants_are_found),
    };
    return cmocka_run_group_tests_name("mysql_grants", tests, NULL, NULL);
}
