// SPDX-License-Identifier: MIT
/*
 * table_book.c - see table_book.h.
 *
 *   file  := { line "\n" }
 *   line  := kind "\t" source "\t" space "\t" table [ "\t" id [ "\t" where ] ]
 *   kind  := "added" | "dropped" | "copy"
 *
 * Fields are %-encoded, so that a name may hold anything.
 */
#include "table_book.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "url_text.h"
#include "writer.h"

#define BOOK_NAME      "tables"
#define BOOK_NEW       "tables.new"
#define BOOK_MODE      0640
#define BOOK_BYTES_MAX ((size_t)16 << 20)
#define FIELDS_MAX     6

enum { FIELD_KIND, FIELD_SOURCE, FIELD_SPACE, FIELD_TABLE, FIELD_ID, FIELD_WHERE };

static const char *const kinds[] = {
    [MR_CHOICE_NONE] = "copy",
    [MR_CHOICE_ADDED] = "added",
    [MR_CHOICE_DROPPED] = "dropped",
};

struct entry {
    struct entry *next;
    char *fields[FIELDS_MAX]; /* decoded; FIELD_KIND unused */
    enum mr_choice kind;      /* NONE: a copy */
};

struct mr_table_book {
    const struct mr_env *env;
    int dir_fd;
    pthread_mutex_t lock;
    struct entry *all;
};

static void free_entry(struct entry *entry)
{
    for (size_t i = 0; i < FIELDS_MAX; i++) {
        free(entry->fields[i]);
    }
    free(entry);
}

static char *copy_text(const char *text)
{
    return text == NULL ? NULL : mr_memory_copy_text(text, strlen(text));
}

static bool is_of(const struct entry *entry, const char *source, const char *space,
                  const char *table)
{
    return strcmp(entry->fields[FIELD_SOURCE], source) == 0 &&
           strcmp(entry->fields[FIELD_SPACE], space) == 0 &&
           strcmp(entry->fields[FIELD_TABLE], table) == 0;
}

/* ---- The file. ---- */

static bool take_line(struct mr_table_book *book, char *line, struct mr_error *err)
{
    struct entry *entry = mr_memory_new(1, sizeof(*entry));
    char *rest = line;
    size_t count = 0;
    for (char *field = strsep(&rest, "\t"); field != NULL && count < FIELDS_MAX;
         field = strsep(&rest, "\t"), count++) {
        entry->fields[count] = copy_text(field);
        if (!mr_url_decode(entry->fields[count])) {
            break;
        }
    }
    size_t kind = 0;
    while (count > FIELD_TABLE && kind < MR_ARRAY_LEN(kinds) &&
           strcmp(kinds[kind], entry->fields[FIELD_KIND]) != 0) {
        kind++;
    }
    if (count <= FIELD_TABLE || rest != NULL || kind == MR_ARRAY_LEN(kinds) ||
        (kind == MR_CHOICE_NONE && count <= FIELD_ID)) {
        free_entry(entry);
        return mr_fail(err, MR_E_CORRUPT, MR_STOP,
                       "the file \"" BOOK_NAME "\" in data_dir has a line that is none of ours: "
                       "\"%.80s\"; restore it, or remove it and add tables again",
                       line);
    }
    entry->kind = (enum mr_choice)kind;
    entry->next = book->all;
    book->all = entry;
    return true;
}

static bool read_file(struct mr_table_book *book, struct mr_error *err)
{
    const struct mr_env *env = book->env;
    const int fd = env->open(env, book->dir_fd, BOOK_NAME, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) {
        return true; /* nobody asked for anything yet */
    }
    const int64_t size = env->file_size(env, fd);
    size_t count = 0;
    bool read = size >= 0 && (size_t)size <= BOOK_BYTES_MAX;
    char *text = mr_memory_new(read ? (size_t)size + 1 : 1, 1);
    read = read && mr_env_read_fully(env, fd, text, (size_t)size, 0, &count, err);
    (void)env->close(env, fd);
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); read && line != NULL; line = strsep(&rest, "\n")) {
        read = line[0] == '\0' || take_line(book, line, err);
    }
    free(text);
    return read || err->code != MR_OK ||
           mr_fail(err, MR_E_IO, MR_STOP, "the file \"" BOOK_NAME "\" in data_dir cannot be read");
}

static void write_field(struct mr_writer *out, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (const uint8_t *c = (const uint8_t *)text; *c != 0; c++) {
        if (*c <= ' ' || *c == '%' || *c >= 0x7f) {
            const char coded[] = {'%', digits[*c >> 4], digits[*c & 15]};
            mr_write_bytes(out, coded, sizeof(coded));
        } else {
            mr_write_u8(out, *c);
        }
    }
}

static void write_entries(const struct mr_table_book *book, struct mr_writer *out)
{
    for (const struct entry *entry = book->all; entry != NULL; entry = entry->next) {
        mr_write_bytes(out, kinds[entry->kind], strlen(kinds[entry->kind]));
        for (size_t i = FIELD_SOURCE; i < FIELDS_MAX && entry->fields[i] != NULL; i++) {
            mr_write_u8(out, '\t');
            write_field(out, entry->fields[i]);
        }
        mr_write_u8(out, '\n');
    }
}

static bool replace_file(const struct mr_table_book *book, const struct mr_writer *text,
                         struct mr_error *err)
{
    const struct mr_env *env = book->env;
    const int fd =
        env->open(env, book->dir_fd, BOOK_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, BOOK_MODE);
    if (fd < 0) {
        return mr_fail_errno(err, "make \"" BOOK_NEW "\" in data_dir");
    }
    const bool written =
        mr_env_write_fully(env, fd, text->bytes, text->length, 0, err) &&
        (env->fdatasync(env, fd) == 0 || mr_fail_errno(err, "sync \"" BOOK_NEW "\" in data_dir"));
    (void)env->close(env, fd);
    if (!written) {
        return false;
    }
    if (env->rename(env, book->dir_fd, BOOK_NEW, BOOK_NAME) != 0 ||
        env->fsync(env, book->dir_fd) != 0) {
        return mr_fail_errno(err, "replace \"" BOOK_NAME "\" in data_dir");
    }
    return true;
}

/* Under the lock. */
static bool save(const struct mr_table_book *book, struct mr_error *err)
{
    struct mr_writer text;
    mr_writer_init(&text, BOOK_BYTES_MAX);
    write_entries(book, &text);
    const bool saved = text.failed ? mr_fail(err, MR_E_LIMIT, MR_STOP, "too many tables are named")
                                   : replace_file(book, &text, err);
    mr_writer_done(&text);
    return saved;
}

struct mr_table_book *mr_table_book_open(const struct mr_env *env, int data_dir_fd,
                                         struct mr_error *err)
{
    struct mr_table_book *book = mr_memory_new(1, sizeof(*book));
    book->env = env;
    book->dir_fd = data_dir_fd;
    const int made = pthread_mutex_init(&book->lock, NULL);
    MR_ASSERT(made == 0);
    if (!read_file(book, err)) {
        mr_table_book_close(book);
        return NULL;
    }
    return book;
}

void mr_table_book_close(struct mr_table_book *book)
{
    if (book == NULL) {
        return;
    }
    while (book->all != NULL) {
        struct entry *entry = book->all;
        book->all = entry->next;
        free_entry(entry);
    }
    (void)pthread_mutex_destroy(&book->lock);
    free(book);
}

/* ---- Entries. ---- */

/* Takes out a table's choice, or its copy; under the lock. NULL: there is none. */
static struct entry *take_out(struct mr_table_book *book, const char *source, const char *space,
                              const char *table, bool is_copy)
{
    struct entry **at = &book->all;
    while (*at != NULL &&
           (((*at)->kind == MR_CHOICE_NONE) != is_copy || !is_of(*at, source, space, table))) {
        at = &(*at)->next;
    }
    struct entry *found = *at;
    if (found != NULL) {
        *at = found->next;
        found->next = NULL;
    }
    return found;
}

/* Puts `made` (NULL: nothing) in the place of `former`; on failure all is as it was. */
static bool put(struct mr_table_book *book, struct entry *made, struct entry *former,
                struct mr_error *err)
{
    if (made != NULL) {
        made->next = book->all;
        book->all = made;
    }
    const bool saved = save(book, err);
    struct entry *loser = saved ? former : made;
    if (!saved && made != NULL) {
        book->all = made->next;
    }
    if (!saved && former != NULL) {
        former->next = book->all;
        book->all = former;
    }
    if (loser != NULL) {
        free_entry(loser);
    }
    return saved;
}

static struct entry *make_entry(enum mr_choice kind, const char *source, const char *space,
                                const char *table)
{
    struct entry *entry = mr_memory_new(1, sizeof(*entry));
    entry->kind = kind;
    entry->fields[FIELD_SOURCE] = copy_text(source);
    entry->fields[FIELD_SPACE] = copy_text(space);
    entry->fields[FIELD_TABLE] = copy_text(table);
    return entry;
}

bool mr_table_book_choose(struct mr_table_book *book, const char *source, const char *space,
                          const char *table, enum mr_choice choice, struct mr_error *err)
{
    (void)pthread_mutex_lock(&book->lock);
    struct entry *former = take_out(book, source, space, table, false);
    struct entry *made = choice == MR_CHOICE_NONE ? NULL : make_entry(choice, source, space, table);
    const bool saved = put(book, made, former, err);
    (void)pthread_mutex_unlock(&book->lock);
    return saved;
}

bool mr_table_book_want(struct mr_table_book *book, const char *source,
                        const struct mr_copy_wish *wish, struct mr_error *err)
{
    MR_ASSERT(wish->id != NULL && wish->id[0] != '\0');
    (void)pthread_mutex_lock(&book->lock);
    struct entry *former = take_out(book, source, wish->space, wish->table, true);
    struct entry *made = make_entry(MR_CHOICE_NONE, source, wish->space, wish->table);
    made->fields[FIELD_ID] = copy_text(wish->id);
    made->fields[FIELD_WHERE] = copy_text(wish->where);
    const bool saved = put(book, made, former, err);
    (void)pthread_mutex_unlock(&book->lock);
    return saved;
}

bool mr_table_book_end(struct mr_table_book *book, const char *source, const char *space,
                       const char *table, const char *id, struct mr_error *err)
{
    bool saved = true;
    (void)pthread_mutex_lock(&book->lock);
    struct entry *former = take_out(book, source, space, table, true);
    if (former != NULL && id != NULL && strcmp(former->fields[FIELD_ID], id) != 0) {
        former->next = book->all; /* a later wish: it stays */
        book->all = former;
    } else if (former != NULL) {
        saved = put(book, NULL, former, err);
    }
    (void)pthread_mutex_unlock(&book->lock);
    return saved;
}

void mr_table_book_each(struct mr_table_book *book, const char *source,
                        mr_table_book_choice_fn choice, mr_table_book_wish_fn wish, void *context)
{
    (void)pthread_mutex_lock(&book->lock);
    for (const struct entry *entry = book->all; entry != NULL; entry = entry->next) {
        if (strcmp(entry->fields[FIELD_SOURCE], source) != 0) {
            continue;
        }
        if (entry->kind != MR_CHOICE_NONE) {
            choice(context, entry->fields[FIELD_SPACE], entry->fields[FIELD_TABLE], entry->kind);
            continue;
        }
        const struct mr_copy_wish one = {
            .space = entry->fields[FIELD_SPACE],
            .table = entry->fields[FIELD_TABLE],
            .id = entry->fields[FIELD_ID],
            .where = entry->fields[FIELD_WHERE],
        };
        wish(context, &one);
    }
    (void)pthread_mutex_unlock(&book->lock);
}
