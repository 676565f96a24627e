// SPDX-License-Identifier: MIT
/*
 * pgoutput_kit.c - see pgoutput_kit.h.
 */
#include "check.h"

#include "pgoutput_kit.h"

#include <stdio.h>
#include <string.h>

#define MESSAGE_BYTES_MAX (1u << 20)
#define PRINT_BYTES       65536

void kit_open(struct kit *kit, size_t batch_bytes, uint64_t resume_lsn)
{
    *kit = (struct kit){0};
    kit->decoder = (struct mr_pgoutput){
        .catalog = mr_catalog_open(),
        .filter = {.include = &kit->include, .exclude = &kit->exclude},
        .value_bytes_max = 1000,
        .resume_lsn = resume_lsn,
    };
    assert_true(mr_pgoutput_init(&kit->decoder, &kit->err));
    kit->pool = mr_batch_pool_open(1, batch_bytes, batch_bytes, &kit->err);
    assert_non_null(kit->pool);
    kit->batch = mr_batch_take(kit->pool, 0);
    mr_writer_init(&kit->message, MESSAGE_BYTES_MAX);
}

void kit_close(struct kit *kit)
{
    struct mr_catalog *catalog = kit->decoder.catalog;
    if (kit->batch->transaction_open) {
        mr_pgoutput_hand_on(&kit->decoder, kit->batch);
    }
    mr_pgoutput_done(&kit->decoder);
    mr_batch_release(kit->batch);
    mr_batch_pool_close(kit->pool);
    mr_catalog_close(catalog);
    mr_writer_done(&kit->message);
}

enum mr_pg_decoded kit_decode(struct kit *kit)
{
    kit->err = (struct mr_error){0};
    assert_false(kit->message.failed);
    const enum mr_pg_decoded decoded = mr_pgoutput_decode(
        &kit->decoder, kit->batch, kit->message.bytes, kit->message.length, &kit->err);
    assert_int_equal(decoded == MR_PG_FAILED, kit->err.code != MR_OK);
    if (decoded != MR_PG_BATCH_FULL) {
        mr_writer_reset(&kit->message);
    }
    return decoded;
}

void kit_next_batch(struct kit *kit)
{
    mr_pgoutput_hand_on(&kit->decoder, kit->batch);
    mr_batch_release(kit->batch);
    kit->batch = mr_batch_take(kit->pool, 0);
}

void kit_u8(struct kit *kit, uint8_t value)
{
    mr_write_u8(&kit->message, value);
}

void kit_u16(struct kit *kit, uint16_t value)
{
    mr_write_u8(&kit->message, (uint8_t)(value >> 8));
    mr_write_u8(&kit->message, (uint8_t)value);
}

void kit_u32(struct kit *kit, uint32_t value)
{
    mr_write_u32_be(&kit->message, value);
}

void kit_u64(struct kit *kit, uint64_t value)
{
    mr_write_u64_be(&kit->message, value);
}

void kit_text(struct kit *kit, const char *text)
{
    mr_write_bytes(&kit->message, text, strlen(text) + 1);
}

void kit_begin(struct kit *kit, uint64_t lsn, uint32_t xid)
{
    kit_u8(kit, 'B');
    kit_u64(kit, lsn);
    kit_u64(kit, 0);
    kit_u32(kit, xid);
}

void kit_commit(struct kit *kit, uint64_t lsn, uint64_t end_lsn)
{
    kit_u8(kit, 'C');
    kit_u8(kit, 0);
    kit_u64(kit, lsn);
    kit_u64(kit, end_lsn);
    kit_u64(kit, 1);
}

void kit_relation(struct kit *kit, uint32_t oid, const char *table, char identity,
                  const struct kit_column *columns, uint16_t count)
{
    kit_u8(kit, 'R');
    kit_u32(kit, oid);
    kit_text(kit, "public");
    kit_text(kit, table);
    kit_u8(kit, (uint8_t)identity);
    kit_u16(kit, count);
    for (uint16_t i = 0; i < count; i++) {
        kit_u8(kit, columns[i].in_identity ? 1 : 0);
        kit_text(kit, columns[i].name);
        kit_u32(kit, columns[i].type);
        kit_u32(kit, (uint32_t)columns[i].modifier);
    }
}

void kit_tuple(struct kit *kit, const struct kit_cell *cells, uint16_t count)
{
    kit_u16(kit, count);
    for (uint16_t i = 0; i < count; i++) {
        const struct kit_cell *cell = &cells[i];
        kit_u8(kit, (uint8_t)(cell->kind == 'i' ? 'b' : cell->kind));
        if (cell->kind == 'i') {
            kit_u32(kit, 4);
            kit_u32(kit, (uint32_t)cell->number);
        } else if (cell->kind == 'b' || cell->kind == 't') {
            kit_u32(kit, (uint32_t)strlen(cell->text));
            mr_write_bytes(&kit->message, cell->text, strlen(cell->text));
        }
    }
}

void kit_row(struct kit *kit, char tag, uint32_t oid, char tuple)
{
    kit_u8(kit, (uint8_t)tag);
    kit_u32(kit, oid);
    kit_u8(kit, (uint8_t)tuple);
}

/* ---- Printing. ---- */

struct print {
    char *text;
    size_t length;
};

static void print_cells(struct print *print, const struct mr_chunk *chunk, uint32_t row)
{
    for (uint16_t i = 0; i < chunk->column_count; i++) {
        char cell[2048] = "-";
        const enum mr_cell_state state = mr_cell_state(&chunk->columns[i], row);
        if (state == MR_CELL_VALUE) {
            (void)mr_cell_print(mr_chunk_column(chunk, i), &chunk->columns[i], row, cell,
                                sizeof(cell));
        } else if (state == MR_CELL_UNCHANGED) {
            cell[0] = '~';
        }
        print->length += (size_t)snprintf(print->text + print->length, PRINT_BYTES - print->length,
                                          "%s%s", i == 0 ? " " : "|", cell);
    }
}

static void print_event(struct print *print, const struct mr_batch *batch,
                        const struct mr_event *event)
{
    static const char *const kinds[] = {"?", "insert", "update", "delete", "truncate", "read"};
    if (event->kind == MR_EVENT_NOTE) {
        const struct mr_note *note = &batch->notes[event->chunk];
        print->length += (size_t)snprintf(print->text + print->length, PRINT_BYTES - print->length,
                                          "note %d <%.*s> <%.*s>\n", note->kind,
                                          (int)note->name.length, (const char *)note->name.bytes,
                                          (int)note->text.length, (const char *)note->text.bytes);
        return;
    }
    const unsigned count = event->kind == MR_EVENT_TRUNCATE ? 1 : event->count;
    for (unsigned i = 0; i < count; i++) {
        print->length += (size_t)snprintf(print->text + print->length, PRINT_BYTES - print->length,
                                          "%s", kinds[event->kind]);
        if (event->kind == MR_EVENT_TRUNCATE) {
            print->length +=
                (size_t)snprintf(print->text + print->length, PRINT_BYTES - print->length, " %s",
                                 batch->truncated[event->chunk]->table);
        } else if (event->chunk != MR_NO_CHUNK) {
            print_cells(print, batch->chunks[event->chunk], event->row + i);
        }
        if (event->before_chunk != MR_NO_CHUNK) {
            print->length +=
                (size_t)snprintf(print->text + print->length, PRINT_BYTES - print->length, " was");
            print_cells(print, batch->chunks[event->before_chunk], event->before_row + i);
        }
        print->text[print->length++] = '\n';
        print->text[print->length] = '\0';
    }
}

const char *kit_print(const struct kit *kit)
{
    static char text[PRINT_BYTES];
    struct print print = {.text = text};
    text[0] = '\0';
    for (uint32_t i = 0; i < kit->batch->transaction_count; i++) {
        const struct mr_transaction *transaction = &kit->batch->transactions[i];
        print.length += (size_t)snprintf(text + print.length, PRINT_BYTES - print.length,
                                         "%llu {\n", (unsigned long long)transaction->number);
        for (uint32_t n = 0; n < transaction->event_count; n++) {
            print_event(&print, kit->batch, &kit->batch->events[transaction->first_event + n]);
        }
        print.length += (size_t)snprintf(text + print.length, PRINT_BYTES - print.length,
                                         "} %llX\n", (unsigned long long)transaction->end.major);
    }
    return text;
}
