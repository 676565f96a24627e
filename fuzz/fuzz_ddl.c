// SPDX-License-Identifier: MIT
/*
 * fuzz_ddl.c - libFuzzer target: any bytes are some statement. What is read of it leaves a shape
 * whose key is whole and whose columns have names and types.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "ddl_read.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char base[] = "CREATE TABLE t (id int, a varchar(9), b int, PRIMARY KEY (b, id))";

static void check(struct mr_table_shape *shape)
{
    uint16_t key_count = 0;
    for (uint16_t i = 0; i < shape->count; i++) {
        if (shape->columns[i].key_index != MR_NOT_IN_KEY) {
            key_count++;
        }
        if (shape->columns[i].name == NULL || shape->columns[i].type == NULL) {
            abort();
        }
    }
    for (uint16_t i = 0; i < shape->count; i++) {
        if (shape->columns[i].key_index != MR_NOT_IN_KEY &&
            shape->columns[i].key_index >= key_count) {
            abort();
        }
    }
    const struct mr_mysql_table_info info = mr_table_shape_describe(shape, "d", "t");
    if (info.key_count != key_count || info.column_count != shape->count) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 65536) {
        return 0;
    }
    const bool is_maria = data[0] % 2 == 1;
    struct mr_ddl ddl;
    struct mr_ddl first;
    struct mr_ddl_altered altered = {0};
    struct mr_table_shape shape = {0};
    mr_ddl_read((struct mr_slice){data + 1, size - 1}, &ddl);
    if (ddl.kind == MR_DDL_CREATE) {
        (void)mr_ddl_create(&ddl, is_maria, &shape);
    } else if (ddl.kind == MR_DDL_ALTER) {
        mr_ddl_read((struct mr_slice){(const uint8_t *)base, sizeof(base) - 1}, &first);
        (void)mr_ddl_create(&first, is_maria, &shape);
        mr_ddl_done(&first);
        mr_ddl_alter(&ddl, is_maria, &shape, &altered);
    }
    check(&shape);
    free(altered.renamed_to.space);
    free(altered.renamed_to.table);
    free(altered.exchanged.space);
    free(altered.exchanged.table);
    mr_table_shape_done(&shape);
    mr_ddl_done(&ddl);
    return 0;
}
