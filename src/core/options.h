// SPDX-License-Identifier: MIT
/*
 * options.h - option tables: one table a plug-in, from which come parsing, checking, --help,
 * docs/OPTIONS.md and the console's forms.
 *
 * A configuration is a plain struct; each option says where in it the value goes. Values come as
 * text (from YAML, a URL or a REST body); mr_options_set() parses and checks them.
 */
#ifndef MR_CORE_OPTIONS_H
#define MR_CORE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"

enum mr_option_type {
    MR_OPT_STRING = 1,  /* const char * */
    MR_OPT_SECRET,      /* const char *; never logged or shown */
    MR_OPT_BOOL,        /* bool: true | false */
    MR_OPT_UINT,        /* uint64_t */
    MR_OPT_SIZE,        /* uint64_t bytes: "64MiB", "1GB", "512" */
    MR_OPT_DURATION_MS, /* uint64_t ms: "500ms", "10s", "7d"; "auto": MR_DURATION_AUTO */
    MR_OPT_CHOICE,      /* unsigned: index into choices */
    MR_OPT_LIST,        /* struct mr_string_list: a YAML sequence */
    MR_OPT_MAP,         /* struct mr_string_map: a YAML mapping of scalars */
};

#define MR_DURATION_AUTO UINT64_MAX

struct mr_string_list {
    const char **items;
    size_t count;
};

struct mr_string_map {
    const char **keys;
    const char **values;
    size_t count;
};

/** A row of an option table; the table ends with {0}. Nested YAML keys are written "tls.mode". */
struct mr_option {
    const char *name;
    enum mr_option_type type;
    size_t offset;
    const char *fallback; /* text of the default; NULL: zero, or required */
    bool required;
    uint64_t min, max;          /* UINT, SIZE, DURATION; max 0: no bound */
    const char *const *choices; /* CHOICE: NULL-terminated */
    const char *help;           /* one line */
};

/**
 * Owns the strings of parsed configurations: everything is freed together by mr_options_free().
 * A zeroed struct is an empty memory.
 */
struct mr_option_memory {
    void **blocks;
    size_t count;
    size_t capacity;
};

/** Fills config with every option's fallback. Fails only on a broken table (asserted in tests). */
bool mr_options_defaults(const struct mr_option *options, void *config,
                         struct mr_option_memory *memory, struct mr_error *err) MR_MUST_CHECK;

/** Sets one scalar option (LIST and MAP take one more item; key is the MAP's key, else NULL). */
bool mr_options_set(const struct mr_option *options, void *config, struct mr_option_memory *memory,
                    const char *name, const char *key, const char *text,
                    struct mr_error *err) MR_MUST_CHECK;

/** The option by its name, or NULL. */
const struct mr_option *mr_options_find(const struct mr_option *options, const char *name);

/** The valid name nearest to a wrong one (edit distance), or NULL when none is near. */
const char *mr_options_nearest(const struct mr_option *options, const char *name);

/** Copies text into the memory. */
const char *mr_options_keep(struct mr_option_memory *memory, const char *text);

void mr_options_free(struct mr_option_memory *memory);

#endif
