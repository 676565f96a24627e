// SPDX-License-Identifier: MIT
/*
 * schema_codec.c - schemas as bytes of the log, and back from bytes that nobody vouches for.
 *
 * FORMAT, version 1 (integers little-endian)
 *
 *   schema := u8 format, u32 schema_id, u32 table_id, u32 version, u8 flags, text space,
 *             text table, u16 column_count, column*
 *   flags  := bit 0: full_before; the others are 0
 *   column := u8 type, u8 precision, u8 scale, u8 column_flags, u16 key_index, text name,
 *             maybe source_type, maybe fallback, maybe labels, maybe charset
 *   column_flags := bit 0: nullable; the others are 0
 *   text   := u32 length, UTF-8 bytes without NUL
 *   maybe  := u32 0xffffffff for none, or text
 *
 * The key is not written: it follows from the columns' key_index.
 *
 * What restoring refuses (MR_E_CORRUPT): an unknown format, flag or type; ids of 0 or past the
 * catalog's limit; a column count that the bytes left cannot hold; a NUL in a text; key places that
 * are no permutation; ids that contradict what the catalog has.
 */
#include <stdlib.h>
#include <string.h>

#include "catalog.h"
#include "memory.h"

#define FORMAT           1
#define FLAG_FULL_BEFORE 1
#define FLAG_NULLABLE    1
#define NO_TEXT          UINT32_MAX
#define COLUMN_BYTES_MIN (4 + 2 + 4 + 4 * 4)
#define TEXTS_A_COLUMN   5

static void write_text(struct mr_writer *writer, const char *text)
{
    if (text == NULL) {
        mr_write_u32_le(writer, NO_TEXT);
        return;
    }
    MR_ASSERT(strlen(text) < NO_TEXT);
    mr_write_slice_u32(writer, mr_slice_of(text));
}

static void write_column(struct mr_writer *writer, const struct mr_column *column)
{
    MR_ASSERT(column->name != NULL);
    mr_write_u8(writer, (uint8_t)column->type);
    mr_write_u8(writer, column->precision);
    mr_write_u8(writer, column->scale);
    mr_write_u8(writer, column->nullable ? FLAG_NULLABLE : 0);
    mr_write_u16_le(writer, column->key_index);
    write_text(writer, column->name);
    write_text(writer, column->source_type);
    write_text(writer, column->fallback);
    write_text(writer, column->labels);
    write_text(writer, column->charset);
}

void mr_schema_write(const struct mr_schema *schema, struct mr_writer *writer)
{
    MR_ASSERT(schema->schema_id > 0 && schema->table_id > 0 && schema->version > 0);
    MR_ASSERT(schema->column_count <= MR_COLUMN_COUNT_MAX);
    mr_write_u8(writer, FORMAT);
    mr_write_u32_le(writer, schema->schema_id);
    mr_write_u32_le(writer, schema->table_id);
    mr_write_u32_le(writer, schema->version);
    mr_write_u8(writer, schema->full_before ? FLAG_FULL_BEFORE : 0);
    write_text(writer, schema->space);
    write_text(writer, schema->table);
    mr_write_u16_le(writer, schema->column_count);
    for (uint16_t i = 0; i < schema->column_count; i++) {
        write_column(writer, &schema->columns[i]);
    }
}

/*
 * Texts of the schema being restored. They are terminated copies, in one block whose size is known
 * beforehand: every text takes four bytes more in the input than a terminated copy needs one.
 */
struct texts {
    char *next;
    char *end;
    bool malformed;
};

static const char *read_text(struct mr_reader *reader, struct texts *texts, bool may_lack)
{
    const uint32_t length = mr_read_u32_le(reader);
    if (!mr_reader_ok(reader) || (may_lack && length == NO_TEXT)) {
        return NULL;
    }
    const uint8_t *bytes = mr_read_bytes(reader, length);
    if (bytes == NULL || memchr(bytes, 0, length) != NULL) {
        texts->malformed = true;
        return NULL;
    }
    MR_ASSERT((size_t)(texts->end - texts->next) > length);
    char *copy = texts->next;
    memcpy(copy, bytes, length);
    copy[length] = '\0';
    texts->next += length + 1;
    return copy;
}

static void read_column(struct mr_reader *reader, struct texts *texts, struct mr_column *column)
{
    column->type = (enum mr_type)mr_read_u8(reader);
    column->precision = mr_read_u8(reader);
    column->scale = mr_read_u8(reader);
    const uint8_t flags = mr_read_u8(reader);
    column->key_index = mr_read_u16_le(reader);
    column->nullable = (flags & FLAG_NULLABLE) != 0;
    column->name = read_text(reader, texts, false);
    column->source_type = read_text(reader, texts, true);
    column->fallback = read_text(reader, texts, true);
    column->labels = read_text(reader, texts, true);
    column->charset = read_text(reader, texts, true);
    texts->malformed = texts->malformed || (flags & ~FLAG_NULLABLE) != 0;
}

/* Reads everything into *draft; false when the bytes are no schema. */
static bool read_draft(struct mr_reader *reader, struct texts *texts, struct mr_schema *draft,
                       struct mr_column **columns)
{
    const uint8_t format = mr_read_u8(reader);
    draft->schema_id = mr_read_u32_le(reader);
    draft->table_id = mr_read_u32_le(reader);
    draft->version = mr_read_u32_le(reader);
    const uint8_t flags = mr_read_u8(reader);
    draft->full_before = (flags & FLAG_FULL_BEFORE) != 0;
    draft->space = read_text(reader, texts, false);
    draft->table = read_text(reader, texts, false);
    draft->column_count = mr_read_u16_le(reader);
    if (!mr_reader_ok(reader) || texts->malformed || format != FORMAT ||
        (flags & ~FLAG_FULL_BEFORE) != 0 || draft->column_count > MR_COLUMN_COUNT_MAX ||
        draft->column_count > mr_reader_left(reader) / COLUMN_BYTES_MIN) {
        return false;
    }
    *columns = mr_memory_new(draft->column_count, sizeof(**columns));
    draft->columns = *columns;
    for (uint16_t i = 0; i < draft->column_count; i++) {
        read_column(reader, texts, &(*columns)[i]);
        if (!mr_reader_ok(reader) || texts->malformed) {
            return false;
        }
    }
    return true;
}

/* The ids must fit what is there: one name a table, one schema a version, one meaning an id. */
static const char *find_contradiction(const struct mr_catalog *catalog,
                                      const struct mr_schema *draft)
{
    const struct mr_schema *same_name = mr_catalog_latest(catalog, draft->space, draft->table);
    const struct mr_schema *same_table = mr_catalog_first_version(catalog, draft->table_id);
    if (same_name != NULL && same_name->table_id != draft->table_id) {
        return "its table has another id";
    }
    if (same_table != NULL && same_name == NULL) {
        return "its table id belongs to another table";
    }
    for (; same_table != NULL; same_table = mr_catalog_next_version(catalog, same_table)) {
        if (same_table->version == draft->version) {
            return "its version is there under another id";
        }
    }
    return NULL;
}

static const struct mr_schema *place_draft(struct mr_catalog *catalog,
                                           const struct mr_schema *draft, struct mr_error *err)
{
    const struct mr_schema *known = mr_catalog_find(catalog, draft->schema_id);
    if (known != NULL) {
        if (known->table_id == draft->table_id && known->version == draft->version &&
            mr_schema_equals(known, draft)) {
            return known;
        }
        (void)mr_fail(err, MR_E_CORRUPT, MR_STOP, "schema %u is there already, and different",
                      draft->schema_id);
        return NULL;
    }
    const char *contradiction = find_contradiction(catalog, draft);
    if (contradiction != NULL) {
        (void)mr_fail(err, MR_E_CORRUPT, MR_STOP, "schema %u of \"%s.%s\": %s", draft->schema_id,
                      draft->space, draft->table, contradiction);
        return NULL;
    }
    return mr_catalog_place(catalog, draft);
}

const struct mr_schema *mr_catalog_restore(struct mr_catalog *catalog, struct mr_reader *reader,
                                           struct mr_error *err)
{
    const struct mr_schema *restored = NULL;
    struct mr_schema draft = {0};
    struct mr_column *columns = NULL;
    const size_t text_bytes_max = mr_reader_left(reader) + 1;
    char *block = mr_memory_new(text_bytes_max, 1);
    struct texts texts = {.next = block, .end = block + text_bytes_max};

    if (!read_draft(reader, &texts, &draft, &columns)) {
        (void)mr_fail(err, MR_E_CORRUPT, MR_STOP, "a schema is malformed at byte %zu of %zu",
                      reader->offset, reader->length);
        goto out;
    }
    if (draft.schema_id == 0 || draft.schema_id > MR_CATALOG_COUNT_MAX || draft.table_id == 0 ||
        draft.table_id > MR_CATALOG_COUNT_MAX || draft.version == 0 ||
        draft.version == UINT32_MAX) {
        (void)mr_fail(err, MR_E_CORRUPT, MR_STOP, "a schema has ids out of range (%u, %u, %u)",
                      draft.schema_id, draft.table_id, draft.version);
        goto out;
    }
    if (!mr_schema_check(&draft, err)) {
        err->code = MR_E_CORRUPT;
        goto out;
    }
    restored = place_draft(catalog, &draft, err);

out:
    free(columns);
    free(block);
    return restored;
}
