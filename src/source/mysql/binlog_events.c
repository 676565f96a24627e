// SPDX-License-Identifier: MIT
/*
 * binlog_events.c - what each type of event does to the stream.
 *
 * Layouts are those of MySQL, libs/mysql/binlog/event/{control_events,statement_events}.h, and
 * MariaDB, sql/log_event.h; what is not in those files is not accepted here.
 */
#include <string.h>

#include "binlog_ddl.h"
#include "binlog_internal.h"
#include "reader.h"
#include "statement.h"

#define MARIA_FLAG_STANDALONE      0x01
#define MARIA_FLAG_GROUP_COMMIT    0x02
#define MARIA_FLAG_XA_PREPARED     0x40
#define MARIA_FLAG_XA_COMPLETED    0x80
#define MARIA_EXTRA_START_ALTER    0x02
#define MARIA_EXTRA_ROLLBACK_ALTER 0x08
#define STATEMENT_SHOWN_BYTES      120
#define COMMIT_TIME_MASK           UINT64_C(0x7fffffffffffff) /* 55 bits of microseconds */

const struct mr_binlog_format mr_binlog_format_plain = {.is_known = true};

typedef bool (*take_fn)(struct mr_binlog_stream *stream, const struct mr_binlog_event *event,
                        struct mr_batch *batch, struct mr_error *err);

static struct mr_reader body_reader(const struct mr_binlog_event *event)
{
    MR_ASSERT(event->body.bytes != NULL);
    return mr_reader_init(event->body.bytes, event->body.length);
}

static bool check_body(const struct mr_reader *in, const struct mr_binlog_event *event,
                       struct mr_error *err)
{
    return mr_reader_check(in, mr_binlog_event_name(event->header.type), err);
}

static bool fail_order(const struct mr_binlog_event *event, const char *where, struct mr_error *err)
{
    MR_ASSERT(where != NULL && err != NULL);
    return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "a %s event %s",
                   mr_binlog_event_name(event->header.type), where);
}

/* ---- Files. ---- */

static bool take_format(struct mr_binlog_stream *stream, const struct mr_binlog_event *event,
                        struct mr_batch *batch, struct mr_error *err)
{
    MR_ASSERT(event->header.type == MR_BINLOG_FORMAT_DESCRIPTION);
    if (!mr_binlog_format_read(event->body, &stream->format, err)) {
        return false;
    }
    if (stream->group.state != MR_GROUP_NONE) {
        mr_group_drop(&stream->group, batch); /* the server crashed while it wrote it */
        mr_binlog_tables_end_statement(&stream->tables);
    }
    return true;
}

static bool take_rotate(struct mr_binlog_stream *stream, const struct mr_binlog_event *event,
                        struct mr_batch *batch, struct mr_error *err)
{
    MR_ASSERT(event->header.type == MR_BINLOG_ROTATE);
    struct mr_reader in = body_reader(event);
    const uint64_t offset = mr_read_u64_le(&in);
    const struct mr_slice name = mr_read_slice(&in, mr_reader_left(&in));
    const bool is_made_up =
        event->header.log_pos == 0 || (event->header.flags & MR_BINLOG_FLAG_ARTIFICIAL) != 0;
    if (!check_body(&in, event, err) || !mr_binlog_set_file(stream, name, err)) {
        return false;
    }
    if (stream->group.state != MR_GROUP_NONE && !is_made_up) {
        return fail_order(event, "inside a transaction", err);
    }
    if (stream->group.state != MR_GROUP_NONE) {
        mr_group_drop(&stream->group, batch);
        mr_binlog_tables_end_statement(&stream->tables);
    }
    stream->offset = offset;
    mr_binlog_move(stream);
    return true;
}

/** Says nothing of rows, but moves the place to resume from: what comes at the start of a file. */
static bool pass_event(struct mr_binlog_stream *stream, const struct mr_binlog_event *event,
                       struct mr_batch *batch, struct mr_error *err)
{
    MR_ASSERT(event->header.type != MR_BINLOG_HEARTBEAT);
    (void)batch;
    (void)err;
    if (stream->group.state == MR_GROUP_NONE) {
        mr_binlog_move(stream);
    }
    return true;
}

/** The server has nothing for us up to a place: it may be the place to resume from. */
static bool idle_at(struct mr_binlog_stream *stream, struct mr_slice file, uint64_t offset)
{
    MR_ASSERT(stream->group.state == MR_GROUP_NONE || !stream->is_pending);
    const bool is_here = mr_slice_equals(file, mr_slice_of(stream->file));
    if (is_here && offset > stream->offset && stream->group.state == MR_GROUP_NONE) {
        stream->offset = offset;
        mr_binlog_move(stream);
    }
    return true;
}

static bool take_heartbeat(struct mr_binlog_stream *stream, const struct mr_binlog_event *event,
                           struct mr_batch *batch, struct mr_error *err)
{
    MR_ASSERT(event->header.type == MR_BINLOG_HEARTBEAT);
    (void)batch;
    (void)err;
    /* 32 bits of offset: past 4 GiB they say nothing certain. */
    const bool is_certain = stream->offset < UINT32_MAX / 2;
    return !is_certain || idle_at(stream, event->body, event->header.log_pos);
}

static bool take_heartbeat_v2(struct mr_binlog_stream *stream, const struct mr_binlog_event *event,
                              struct mr_batch *batch, struct mr_error *err)
{
    MR_ASSERT(event->header.type == MR_BINLOG_HEARTBEAT_V2);
    enum { FIELD_END = 0, FIELD_FILE = 1, FIELD_OFFSET = 2 };
    struct mr_reader in = body_reader(event);
    struct mr_slice file = {0};
    uint64_t offset = 0;
    (void)batch;
    while (mr_reader_left(&in) > 0) {
        const uint64_t field = mr_read_lenenc(&in);
        if (field == FIELD_END) {
            break;
        }
        const struct mr_slice value = mr_read_slice(&in, mr_read_lenenc(&in));
        struct mr_reader number = mr_reader_init(value.bytes, value.length);
        if (field == FIELD_FILE) {
            file = value;
        } else if (field == FIELD_OFFSET) {
            offset = mr_read_lenenc(&number);
        }
    }
    return check_body(&in, event, err) && idle_at(stream, file, offset);
}

/* ---- The starts of transactions. ---- */

static bool announce(struct mr_binlog_stream *stream, const struct mr_binlog_event *event,
                     const struct mr_binlog_group *group, struct mr_error *err)
{
    if (stream->group.state != MR_GROUP_NONE) {
        return fail_order(event, "inside a transaction", err);
    }
    MR_ASSERT(!group->handed_on && !group->has_rows);
    stream->group = *group;
    stream->group.start = stream->event_offset;
    mr_xa_gather_begin(&stream->xa);
    return true;
}

/**
 * body := u8 flags, uuid[16], i64 gno, [u8 type = 2, i64 last_committed, i64 sequence,
 *         u55 commit_us and a bit that says that another u56 follows, ...]
 */
static bool take_gtid(struct mr_binlog_stream *stream, const struct mr_binlog_event *event,
                      struct mr_batch *batch, struct mr_error *err)
{
    MR_ASSERT(event->header.type == MR_BINLOG_GTID ||
              event->header.type == MR_BINLOG_ANONYMOUS_GTID);
    struct mr_reader in = body_reader(event);
    struct mr_binlog_group group = {.state = MR_GROUP_ANNOUNCED};
    (void)batch;
    mr_read_skip(&in, 1);
    const struct mr_slice uuid = mr_read_slice(&in, MR_GTID_UUID_BYTES);
    const uint64_t number = mr_read_u64_le(&in);
    if (!check_body(&in, event, err)) {
        return false;
    }
    if (mr_reader_left(&in) >= 1 + 8 + 8 + 7 && mr_read_u8(&in) == 2) {
        mr_read_skip(&in, 16);
        group.commit_us = (int64_t)(mr_read_uint_le(&in, 7) & COMMIT_TIME_MASK);
    }
    if (event->header.type == MR_BINLOG_GTID) {
        if (number < 1 || number > MR_GTID_NUMBER_MAX) {
            return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "GTID number %llu is out of range",
                           (unsigned long long)number);
        }
        group.gtid_kind = MR_GTID_MYSQL;
        group.number = number;
        memcpy(group.origin.uuid, uuid.bytes, sizeof(group.origin.uuid));
    }
    return announce(stream, event, &group, err);
}

/**
 * MySQL's serialisation library: an integer has as many leading one bits in its first byte as it
 * has further bytes, least significant first.
 */
static uint64_t read_varint(struct mr_reader *in)
{
    const uint8_t lead = mr_read_u8(in);
    const unsigned more = lead == 0xff ? 8 : (unsigned)__builtin_ctz(~(unsigned)lead);
    uint64_t value = more >= 7 ? 0 : (uint64_t)lead >> (more + 1);
    const uint64_t rest = mr_read_uint_le(in, more);
    return more == 8 ? rest : value | rest << (7 - more);
}

static int64_t read_signed_varint(struct mr_reader *in)
{
    const uint64_t coded = read_varint(in);
    return (int64_t)(coded >> 1) ^ -(int64_t)(coded & 1);
}

/**
 * GTID_TAGGED: a message of numbered fields: version, size, last field that may not be skipped,
 * then (id, value)*: 0 flags, 1 uuid, 2 gno, 3 tag, 4 last_committed, 5 sequence, 6 commit time,
 * 7 original commit time, ...
 * Source: MySQL, libs/mysql/binlog/event/control_events.h, Gtid_event::define_fields.
 */
static bool take_gtid_tagged(struct mr_binlog_stream *stream, const struct mr_binlog_event *event,
                             struct mr_batch *batch, struct mr_error *err)
{
    MR_ASSERT(event->header.type == MR_BINLOG_GTID_TAGGED);
    enum {
        FIELD_FLAGS,
        FIELD_UUID,
        FIELD_NUMBER,
        FIELD_TAG,
        FIELD_COMMITTED,
        FIELD_SEQUENCE,
        FIELD_TIME
    };
    struct mr_reader in = body_reader(event);
    struct mr_binlog_group group = {.state = MR_GROUP_ANNOUNCED, .gtid_kind = MR_GTID_MYSQL};
    int64_t number = 0;
    (void)batch;
    for (int i = 0; i < 3; i++) {
        (void)read_varint(&in);
    }
    uint64_t field = 0;
    while (mr_reader_left(&in) > 0 && field < FIELD_TIME) {
        field = read_varint(&in);
        if (field == FIELD_UUID) {
            for (size_t i = 0; i < MR_GTID_UUID_BYTES; i++) {
                group.origin.uuid[i] = (uint8_t)read_varint(&in);
            }
        } else if (field == FIELD_TAG) {
            const uint64_t length = read_varint(&in);
            const struct mr_slice tag = mr_read_slice(&in, length);
            if (!mr_reader_ok(&in) || length > MR_GTID_TAG_BYTES_MAX ||
                memchr(tag.bytes, 0, length) != NULL) {
                return fail_order(event, "has no readable tag", err);
            }
            memcpy(group.origin.tag, tag.bytes, length);
        } else if (field == FIELD_NUMBER) {
            number = read_signed_varint(&in);
        } else if (field == FIELD_TIME) {
            group.commit_us = (int64_t)read_varint(&in);
        } else if (field == FIELD_FLAGS) {
            (void)read_varint(&in);
        } else {
            (void)read_signed_varint(&in);
        }
    }
    if (!check_body(&in, event, err)) {
        return false;
    }
    if (number < 1 || number > MR_GTID_NUMBER_MAX) {
        return fail_order(event, "has no number", err);
    }
    group.number = (uint64_t)number;
    return announce(stream, event, &group, err);
}

/**
 * body := u64 sequence, u32 domain, u8 flags, [group commit: u64], [XA: u32 format, u8 n, u8 m,
 *         xid[n + m]], [u8 more flags, ...], zeros up to 19 bytes; the server's id is in the header
 */
static bool take_maria_gtid(struct mr_binlog_stream *stream, const struct mr_binlog_event *event,
                            struct mr_batch *batch, struct mr_error *err)
{
    MR_ASSERT(event->header.type == MR_BINLOG_MARIA_GTID);
    struct mr_reader in = body_reader(event);
    struct mr_binlog_group group = {.gtid_kind = MR_GTID_MARIA};
    (void)batch;
    group.maria.sequence = mr_read_u64_le(&in);
    group.maria.domain = mr_read_u32_le(&in);
    group.maria.server = event->header.server_id;
    group.number = group.maria.sequence;
    const uint8_t flags = mr_read_u8(&in);
    mr_read_skip(&in, (flags & MARIA_FLAG_GROUP_COMMIT) != 0 ? 8 : 0);
    if ((flags & (MARIA_FLAG_XA_PREPARED | MARIA_FLAG_XA_COMPLETED)) != 0) {
        mr_read_skip(&in, 4);
        const size_t size = mr_read_u8(&in);
        mr_read_skip(&in, size + mr_read_u8(&in));
    }
    const uint8_t more = mr_reader_left(&in) > 0 ? mr_read_u8(&in) : 0;
    group.is_announcing = (more & (MARIA_EXTRA_START_ALTER | MARIA_EXTRA_ROLLBACK_ALTER)) != 0;
    group.is_xa = (flags & MARIA_FLAG_XA_PREPARED) != 0;
    group.state = (flags & MARIA_FLAG_STANDALONE) != 0 ? MR_GROUP_ANNOUNCED : MR_GROUP_OPEN;
    return check_body(&in, event, err) && announce(stream, event, &group, err);
}

/* ---- Statements. ---- */

/**
 * body := u32 thread, u32 seconds, u8 space size, u16 error, u16 status size, status, space NUL,
 *         text (MariaDB's QUERY_COMPRESSED: packed)
 */
struct query {
    struct mr_slice space; /* the session's database */
    struct mr_slice text;
};

static bool read_query(struct mr_binlog_stream *stream, const struct mr_binlog_event *event,
                       struct query *query, struct mr_error *err)
{
    struct mr_reader in = body_reader(event);
    mr_read_skip(&in, 8);
    const uint8_t space_size = mr_read_u8(&in);
    mr_read_skip(&in, 2);
    mr_read_skip(&in, mr_read_u16_le(&in));
    query->space = mr_read_slice(&in, space_size);
    mr_read_skip(&in, 1);
    query->text = mr_read_slice(&in, mr_reader_left(&in));
    if (!check_body(&in, event, err)) {
        return false;
    }
    if (event->header.type == MR_BINLOG_QUERY) {
        return true;
    }
    MR_ASSERT(event->header.type == MR_BINLOG_MARIA_QUERY_COMPRESSED && !stream->is_pending);
    if (!mr_binlog_unpack_maria(query->text, &stream->cursor.unpacked, err)) {
        return false;
    }
    query->text = (struct mr_slice){stream->cursor.unpacked.bytes, stream->cursor.unpacked.length};
    return true;
}

/** A statement's table, with the session's database where it names none. */
static void complete_name(const struct mr_binlog_stream *stream, struct mr_slice space,
                          struct mr_statement *statement)
{
    MR_ASSERT(space.length <= UINT8_MAX);
    if (statement->space[0] == '\0') {
        const size_t length = space.length < MR_IDENTIFIER_BYTES_MAX ? space.length : 0;
        if (length > 0) {
            memcpy(statement->space, space.bytes, length);
        }
        statement->space[length] = '\0';
    }
    if (!stream->options.names_lower_case) {
        return;
    }
    char *const names[] = {statement->space, statement->table};
    for (size_t i = 0; i < MR_ARRAY_LEN(names); i++) {
        for (char *at = names[i]; *at != '\0'; at++) {
            if (*at >= 'A' && *at <= 'Z') {
                *at = (char)(*at | 0x20);
            }
        }
    }
}

static bool truncate_table(struct mr_binlog_stream *stream, const struct mr_statement *statement,
                           struct mr_batch *batch, struct mr_error *err)
{
    MR_ASSERT(statement->kind == MR_STATEMENT_TRUNCATE && statement->table[0] != '\0');
    const struct mr_schema *schema = NULL;
    if (!mr_binlog_tables_captures(&stream->tables, statement->space, statement->table)) {
        return true;
    }
    if (!mr_binlog_tables_schema(&stream->tables, statement->space, statement->table, &schema,
                                 err)) {
        return false;
    }
    if (schema == NULL) {
        return true; /* never seen, and gone: nobody holds rows of it */
    }
    stream->group.state = MR_GROUP_OPEN;
    return mr_group_enter(&stream->group, batch, err) && mr_batch_add_truncate(batch, schema, err);
}

/** DDL: what becomes of the tables that it names. */
static bool take_definition(struct mr_binlog_stream *stream, struct mr_slice space,
                            struct mr_slice text, struct mr_statement *statement,
                            struct mr_batch *batch, struct mr_error *err)
{
    MR_ASSERT(statement->kind >= MR_STATEMENT_TRUNCATE);
    if (statement->kind == MR_STATEMENT_NO_TABLE) {
        return true;
    }
    if (statement->kind != MR_STATEMENT_TRUNCATE) {
        return mr_binlog_take_ddl(stream, space, text, batch, err);
    }
    complete_name(stream, space, statement);
    return truncate_table(stream, statement, batch, err);
}

bool mr_binlog_roll_back(struct mr_binlog_stream *stream, uint32_t time_s, struct mr_batch *batch,
                         struct mr_error *err)
{
    MR_ASSERT(!stream->is_pending);
    const struct mr_binlog_group ended = stream->group;
    mr_group_drop(&stream->group, batch);
    stream->group = ended;
    stream->group.handed_on = false;
    return mr_binlog_end_group(stream, time_s, batch, err);
}

/**
 * A change that was logged as a statement. It can do no harm when it names one table, which is not
 * captured; otherwise it stops the capture, or becomes a note in the stream.
 */
static bool take_change(struct mr_binlog_stream *stream, const struct query *query,
                        struct mr_statement *statement, struct mr_batch *batch,
                        struct mr_error *err)
{
    MR_ASSERT(statement->kind == MR_STATEMENT_DML);
    const int shown = query->text.length > STATEMENT_SHOWN_BYTES ? STATEMENT_SHOWN_BYTES
                                                                 : (int)query->text.length;
    const bool is_named = statement->table[0] != '\0';
    if (is_named) {
        complete_name(stream, query->space, statement);
        if (!mr_binlog_tables_captures(&stream->tables, statement->space, statement->table)) {
            return true;
        }
    }
    if (!stream->options.warns_of_statements) {
        return mr_fail(err, MR_E_SOURCE, MR_STOP,
                       "a change%s%s%s%s%s was logged as a statement, not as rows: \"%.*s\"; set "
                       "binlog_format=ROW globally and in every session, then copy its tables anew "
                       "(on_statement: warn goes on without such changes)",
                       is_named ? " of table \"" : "", statement->space, is_named ? "\".\"" : "",
                       statement->table, is_named ? "\"" : "", shown,
                       (const char *)query->text.bytes);
    }
    const struct mr_note note = {
        .kind = MR_NOTE_STATEMENT, .name = query->space, .text = query->text};
    stream->group.state = MR_GROUP_OPEN;
    return mr_group_enter(&stream->group, batch, err) && mr_batch_add_note(batch, &note, err);
}

static bool open_group(struct mr_binlog_stream *stream, const struct mr_binlog_event *event,
                       struct mr_error *err)
{
    if (stream->group.state == MR_GROUP_OPEN && stream->group.gtid_kind != MR_GTID_MARIA) {
        return fail_order(event, "begins a transaction inside another", err);
    }
    stream->group.state = MR_GROUP_OPEN;
    return true;
}

static bool take_statement(struct mr_binlog_stream *stream, const struct mr_binlog_event *event,
                           const struct query *query, struct mr_batch *batch, struct mr_error *err)
{
    MR_ASSERT(!stream->is_pending);
    const struct mr_slice space = query->space;
    const struct mr_slice text = query->text;
    const bool is_inside = stream->group.state == MR_GROUP_OPEN;
    struct mr_statement statement;
    if (stream->group.is_announcing) {
        return mr_binlog_end_group(stream, event->header.time_s, batch, err);
    }
    mr_statement_read(text, &statement);
    switch (statement.kind) {
    case MR_STATEMENT_BEGIN:
        return open_group(stream, event, err);
    case MR_STATEMENT_INSIDE:
        return true;
    case MR_STATEMENT_ROLLBACK_TO:
        if (stream->group.has_rows) {
            return mr_fail(err, MR_E_SOURCE, MR_STOP,
                           "a transaction rolls back to a savepoint after changes to tables "
                           "without transactions (MyISAM, ...); convert these to InnoDB, then copy "
                           "the tables anew");
        }
        return true;
    case MR_STATEMENT_COMMIT:
        return mr_binlog_end_group(stream, event->header.time_s, batch, err);
    case MR_STATEMENT_ROLLBACK:
        return mr_binlog_roll_back(stream, event->header.time_s, batch, err);
    case MR_STATEMENT_DML:
        return take_change(stream, query, &statement, batch, err) &&
               (is_inside || mr_binlog_end_group(stream, event->header.time_s, batch, err));
    case MR_STATEMENT_TRUNCATE:
    case MR_STATEMENT_TABLE:
    case MR_STATEMENT_PARTITION:
    case MR_STATEMENT_NO_TABLE:
    case MR_STATEMENT_OTHER:
        break;
    }
    return take_definition(stream, space, text, &statement, batch, err) &&
           (is_inside || mr_binlog_end_group(stream, event->header.time_s, batch, err));
}

static enum mr_binlog_fed take_query(struct mr_binlog_stream *stream,
                                     const struct mr_binlog_event *event, struct mr_batch *batch,
                                     struct mr_error *err)
{
    struct query query = {{0}, {0}};
    struct mr_xa_name name = {{0}};
    bool good = false;
    if (stream->replay.is_active) {
        return mr_binlog_xa_commit(stream, &stream->replay.name, event->header.time_s, batch, err);
    }
    if (!read_query(stream, event, &query, err)) {
        return MR_BINLOG_ERROR;
    }
    switch (mr_xa_read_statement(query.text, &name)) {
    case MR_XA_NOTHING:
        good = take_statement(stream, event, &query, batch, err);
        break;
    case MR_XA_START:
        stream->group.is_xa = true;
        good = open_group(stream, event, err);
        break;
    case MR_XA_COMMIT:
        return mr_binlog_xa_commit(stream, &name, event->header.time_s, batch, err);
    case MR_XA_ROLLBACK:
        good = mr_binlog_xa_rollback(stream, &name, event->header.time_s, batch, err);
        break;
    case MR_XA_UNREADABLE:
        good = fail_order(event, "names an XA transaction in a way that cannot be read", err);
        break;
    }
    return good ? MR_BINLOG_DONE : MR_BINLOG_ERROR;
}

/**
 * LOAD DATA as a statement: its file came in blocks before it.
 *
 * body := as QUERY up to the status size, u32 file, u32 from, u32 to, u8 duplicates, then as QUERY
 */
static bool take_load(struct mr_binlog_stream *stream, const struct mr_binlog_event *event,
                      struct mr_batch *batch, struct mr_error *err)
{
    MR_ASSERT(event->header.type == MR_BINLOG_EXECUTE_LOAD_QUERY);
    struct mr_reader in = body_reader(event);
    struct query query = {{0}, {0}};
    mr_read_skip(&in, 8);
    const uint8_t space_size = mr_read_u8(&in);
    mr_read_skip(&in, 2);
    const uint16_t status_size = mr_read_u16_le(&in);
    mr_read_skip(&in, 4 + 4 + 4 + 1);
    mr_read_skip(&in, status_size);
    query.space = mr_read_slice(&in, space_size);
    mr_read_skip(&in, 1);
    query.text = mr_read_slice(&in, mr_reader_left(&in));
    return check_body(&in, event, err) && take_statement(stream, event, &query, batch, err);
}

/* ---- The ends of transactions. ---- */

static bool take_xid(struct mr_binlog_stream *stream, const struct mr_binlog_event *event,
                     struct mr_batch *batch, struct mr_error *err)
{
    MR_ASSERT(event->header.type == MR_BINLOG_XID);
    if (stream->group.state != MR_GROUP_OPEN) {
        return fail_order(event, "outside a transaction", err);
    }
    return mr_binlog_end_group(stream, event->header.time_s, batch, err);
}

/* ---- Rows. ---- */

static bool take_table_map(struct mr_binlog_stream *stream, const struct mr_binlog_event *event,
                           struct mr_batch *batch, struct mr_error *err)
{
    MR_ASSERT(event->header.type == MR_BINLOG_TABLE_MAP);
    (void)batch;
    if (stream->group.state != MR_GROUP_OPEN) {
        return fail_order(event, "outside a transaction", err);
    }
    mr_binlog_gather(stream, event);
    return mr_binlog_tables_map(&stream->tables, event->body, err);
}

/** Rows one after the other until the event or the batch is full. */
static enum mr_binlog_fed decode_rows(struct mr_binlog_stream *stream, struct mr_batch *batch,
                                      struct mr_error *err)
{
    MR_ASSERT(stream->group.state == MR_GROUP_OPEN && stream->group.has_rows);
    struct mr_rows_cursor *cursor = &stream->cursor;
    if (!batch->transaction_open && batch->event_count > 0 &&
        mr_binlog_may_hand_on(stream, batch)) {
        return MR_BINLOG_MORE; /* rather than to open the transaction with nothing in it */
    }
    if (!mr_group_enter(&stream->group, batch, err)) {
        return MR_BINLOG_ERROR;
    }
    while (!mr_rows_cursor_is_at_end(cursor)) {
        const bool has_events = batch->event_count > 0;
        if (has_events && mr_binlog_may_hand_on(stream, batch)) {
            return MR_BINLOG_MORE;
        }
        if (MR_UNLIKELY(!mr_rows_cursor_next(cursor, batch, err))) {
            return has_events && err->code == MR_E_LIMIT ? MR_BINLOG_MORE : MR_BINLOG_ERROR;
        }
    }
    return MR_BINLOG_DONE;
}

static enum mr_binlog_fed take_rows(struct mr_binlog_stream *stream,
                                    const struct mr_binlog_event *event, struct mr_batch *batch,
                                    struct mr_error *err)
{
    struct mr_rows_event rows = {0};
    if (stream->group.state != MR_GROUP_OPEN) {
        (void)fail_order(event, "outside a transaction", err);
        return MR_BINLOG_ERROR;
    }
    if (!mr_rows_event_open(event->header.type, event->body, &rows, err)) {
        return MR_BINLOG_ERROR;
    }
    struct mr_binlog_table *table = mr_binlog_tables_find(&stream->tables, rows.table_id);
    enum mr_binlog_fed fed = MR_BINLOG_DONE;
    if (table == NULL && rows.table_id != MR_ROWS_DUMMY_TABLE) {
        (void)fail_order(event, "has no table map", err);
        return MR_BINLOG_ERROR;
    }
    if (table != NULL && table->is_captured) {
        MR_ASSERT(table->layout != NULL);
        mr_binlog_gather(stream, event);
        stream->cursor.layout = table->layout;
        stream->cursor.at = stream->is_pending ? stream->cursor.at : 0;
        if (!stream->is_pending && !mr_binlog_announce(stream, table, batch, err)) {
            return MR_BINLOG_ERROR;
        }
        if (!mr_rows_cursor_start(&stream->cursor, &rows, err)) {
            return MR_BINLOG_ERROR;
        }
        stream->group.has_rows = true;
        fed = decode_rows(stream, batch, err);
        stream->is_pending = fed == MR_BINLOG_MORE;
    }
    if (fed == MR_BINLOG_DONE && (rows.flags & MR_ROWS_FLAG_STATEMENT_END) != 0) {
        mr_binlog_tables_end_statement(&stream->tables);
    }
    return fed;
}

/* ---- What stops, and what is skipped. ---- */

static bool take_incident(struct mr_binlog_stream *stream, const struct mr_binlog_event *event,
                          struct mr_batch *batch, struct mr_error *err)
{
    (void)stream;
    (void)event;
    (void)batch;
    return mr_fail(err, MR_E_SOURCE, MR_STOP,
                   "the server logged an incident: changes are missing from its binlog here; copy "
                   "the tables anew");
}

static bool skip_event(struct mr_binlog_stream *stream, const struct mr_binlog_event *event,
                       struct mr_batch *batch, struct mr_error *err)
{
    (void)stream;
    (void)event;
    (void)batch;
    (void)err;
    return true;
}

static const take_fn takers[256] = {
    [MR_BINLOG_STOP] = skip_event,
    [MR_BINLOG_ROTATE] = take_rotate,
    [MR_BINLOG_INTVAR] = skip_event, /* these belong to the statement after them */
    [MR_BINLOG_RAND] = skip_event,
    [MR_BINLOG_USER_VAR] = skip_event,
    [MR_BINLOG_APPEND_BLOCK] = skip_event, /* blocks of a LOAD DATA statement's file */
    [MR_BINLOG_DELETE_FILE] = skip_event,
    [MR_BINLOG_BEGIN_LOAD_QUERY] = skip_event,
    [MR_BINLOG_EXECUTE_LOAD_QUERY] = take_load,
    [MR_BINLOG_FORMAT_DESCRIPTION] = take_format,
    [MR_BINLOG_XID] = take_xid,
    [MR_BINLOG_TABLE_MAP] = take_table_map,
    [MR_BINLOG_INCIDENT] = take_incident,
    [MR_BINLOG_HEARTBEAT] = take_heartbeat,
    [MR_BINLOG_HEARTBEAT_V2] = take_heartbeat_v2,
    [MR_BINLOG_IGNORABLE] = skip_event,
    [MR_BINLOG_ROWS_QUERY] = skip_event,
    [MR_BINLOG_GTID] = take_gtid,
    [MR_BINLOG_ANONYMOUS_GTID] = take_gtid,
    [MR_BINLOG_PREVIOUS_GTIDS] = pass_event,
    [MR_BINLOG_TRANSACTION_CONTEXT] = skip_event, /* group replication's certification */
    [MR_BINLOG_VIEW_CHANGE] = skip_event,
    [MR_BINLOG_XA_PREPARE] = mr_binlog_xa_prepare,
    [MR_BINLOG_GTID_TAGGED] = take_gtid_tagged,
    [MR_BINLOG_MARIA_ANNOTATE_ROWS] = skip_event,
    [MR_BINLOG_MARIA_CHECKPOINT] = pass_event,
    [MR_BINLOG_MARIA_GTID] = take_maria_gtid,
    [MR_BINLOG_MARIA_GTID_LIST] = pass_event,
    [MR_BINLOG_MARIA_START_ENCRYPTION] = skip_event, /* the server decrypts what it sends */
};

/** Types that a compressed transaction may hold; rows events are the others. */
static bool may_be_inside(uint8_t type)
{
    return type == MR_BINLOG_QUERY || type == MR_BINLOG_XID || type == MR_BINLOG_TABLE_MAP ||
           type == MR_BINLOG_ROWS_QUERY || type == MR_BINLOG_XA_PREPARE ||
           type == MR_BINLOG_INTVAR || type == MR_BINLOG_RAND || type == MR_BINLOG_USER_VAR ||
           type == MR_BINLOG_IGNORABLE || mr_rows_is_rows_event(type);
}

/** Takes in the inner events of a compressed transaction until its end or the batch's. */
static enum mr_binlog_fed take_payload(struct mr_binlog_stream *stream,
                                       const struct mr_binlog_event *event, struct mr_batch *batch,
                                       struct mr_error *err)
{
    struct mr_binlog_payload *payload = &stream->payload;
    if (!payload->is_open && !mr_binlog_payload_open(payload, event->body, err)) {
        return MR_BINLOG_ERROR;
    }
    for (;;) {
        struct mr_binlog_event inner = {0};
        if (!payload->has_event) {
            const enum mr_payload_next next = mr_binlog_payload_next(payload, event->body, err);
            if (next != MR_PAYLOAD_EVENT) {
                return next == MR_PAYLOAD_END ? MR_BINLOG_DONE : MR_BINLOG_ERROR;
            }
        }
        const struct mr_slice bytes = {payload->event.bytes, payload->event.length};
        if (!mr_binlog_event_split(bytes, &mr_binlog_format_plain, &inner, err)) {
            return MR_BINLOG_ERROR;
        }
        if (!may_be_inside(inner.header.type)) {
            (void)fail_order(&inner, "inside a compressed transaction", err);
            return MR_BINLOG_ERROR;
        }
        const enum mr_binlog_fed fed = stream->replay.is_active
                                           ? mr_binlog_take_again(stream, &inner, batch, err)
                                           : mr_binlog_take_event(stream, &inner, batch, err);
        if (fed != MR_BINLOG_DONE && fed != MR_BINLOG_AGAIN) {
            return fed;
        }
        payload->has_event = false;
    }
}

enum mr_binlog_fed mr_binlog_take_event(struct mr_binlog_stream *stream,
                                        const struct mr_binlog_event *event, struct mr_batch *batch,
                                        struct mr_error *err)
{
    MR_ASSERT(!stream->has_failed && !batch->aborts);
    const uint8_t type = event->header.type;
    if (mr_rows_is_rows_event(type)) {
        return take_rows(stream, event, batch, err);
    }
    if (type == MR_BINLOG_TRANSACTION_PAYLOAD) {
        return take_payload(stream, event, batch, err);
    }
    if (stream->is_pending && !stream->replay.is_active) {
        (void)fail_order(event, "came before the rest of the rows", err);
        return MR_BINLOG_ERROR;
    }
    if (type == MR_BINLOG_QUERY || type == MR_BINLOG_MARIA_QUERY_COMPRESSED) {
        return take_query(stream, event, batch, err);
    }
    if (takers[type] != NULL) {
        return takers[type](stream, event, batch, err) ? MR_BINLOG_DONE : MR_BINLOG_ERROR;
    }
    if ((event->header.flags & MR_BINLOG_FLAG_IGNORABLE) != 0) {
        return MR_BINLOG_DONE;
    }
    (void)mr_fail(
        err, MR_E_PROTOCOL, MR_STOP,
        "events of type %u are not known, and it may not be ignored; a newer millrace may "
        "know it",
        type);
    return MR_BINLOG_ERROR;
}
