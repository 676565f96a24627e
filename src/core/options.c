// SPDX-License-Identifier: MIT
/*
 * options.c - text to configuration structs, by table.
 *
 * Values come from people, so every refusal names the option, the value and what would be right.
 * Lists and maps are appended to; they have no fallback. Secrets never appear in a message.
 */
#include "options.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "memory.h"

#define NAME_BYTES_MAX 64 /* longer names are not compared for the nearest */

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit size_units[] = {
    {"B", 1},
    {"KiB", UINT64_C(1) << 10},
    {"MiB", UINT64_C(1) << 20},
    {"GiB", UINT64_C(1) << 30},
    {"TiB", UINT64_C(1) << 40},
    {"KB", UINT64_C(1000)},
    {"MB", UINT64_C(1000000)},
    {"GB", UINT64_C(1000000000)},
    {"TB", UINT64_C(1000000000000)},
};

static const struct unit duration_units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000},
};

static void *keep_block(struct mr_option_memory *memory, void *block)
{
    if (memory->count == memory->capacity) {
        memory->capacity = memory->capacity == 0 ? 16 : memory->capacity * 2;
        memory->blocks =
            mr_memory_resize(memory->blocks, memory->capacity, sizeof(*memory->blocks));
    }
    memory->blocks[memory->count++] = block;
    return block;
}

const char *mr_options_keep(struct mr_option_memory *memory, const char *text)
{
    MR_ASSERT(text != NULL);
    return keep_block(memory, mr_memory_copy_text(text, strlen(text)));
}

void mr_options_free(struct mr_option_memory *memory)
{
    if (memory == NULL) {
        return;
    }
    for (size_t i = 0; i < memory->count; i++) {
        free(memory->blocks[i]);
    }
    free(memory->blocks);
    *memory = (struct mr_option_memory){0};
}

/* Digits and then an optional unit; false when the text is anything else, or past 64 bits. */
static bool parse_number(const char *text, const char **rest, uint64_t *number)
{
    uint64_t value = 0;
    const char *c = text;
    for (; *c >= '0' && *c <= '9'; c++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*c - '0'), &value)) {
            return false;
        }
    }
    if (c == text) {
        return false;
    }
    *rest = c;
    *number = value;
    return true;
}

static bool parse_with_unit(const char *text, const struct unit *units, size_t unit_count,
                            uint64_t *number)
{
    const char *rest = NULL;
    uint64_t value = 0;
    if (!parse_number(text, &rest, &value)) {
        return false;
    }
    rest += *rest == ' ' ? 1 : 0;
    for (size_t i = 0; i < unit_count; i++) {
        if (strcasecmp(rest, units[i].name) == 0) {
            return !__builtin_mul_overflow(value, units[i].factor, number);
        }
    }
    return false;
}

static bool fail_value(const struct mr_option *option, const char *text, const char *wanted,
                       struct mr_error *err)
{
    MR_ASSERT(option->type != MR_OPT_SECRET);
    return mr_fail(err, MR_E_CONFIG, MR_STOP, "option \"%s\" cannot be \"%s\"; it takes %s",
                   option->name, text, wanted);
}

static bool check_range(const struct mr_option *option, const char *text, uint64_t number,
                        struct mr_error *err)
{
    if (number < option->min) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "option \"%s\" cannot be \"%s\"; the least is %" PRIu64, option->name, text,
                       option->min);
    }
    if (option->max != 0 && number > option->max) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "option \"%s\" cannot be \"%s\"; the most is %" PRIu64, option->name, text,
                       option->max);
    }
    return true;
}

static bool set_uint(const struct mr_option *option, uint64_t *to, const char *text,
                     struct mr_error *err)
{
    const char *rest = NULL;
    uint64_t number = 0;
    if (!parse_number(text, &rest, &number) || *rest != '\0') {
        return fail_value(option, text, "a whole number", err);
    }
    if (!check_range(option, text, number, err)) {
        return false;
    }
    *to = number;
    return true;
}

static bool set_size(const struct mr_option *option, uint64_t *to, const char *text,
                     struct mr_error *err)
{
    const char *rest = NULL;
    uint64_t number = 0;
    const bool is_plain = parse_number(text, &rest, &number) && *rest == '\0';
    if (!is_plain && !parse_with_unit(text, size_units, MR_ARRAY_LEN(size_units), &number)) {
        return fail_value(option, text, "a size such as 64MiB, 1GB or 512", err);
    }
    if (!check_range(option, text, number, err)) {
        return false;
    }
    *to = number;
    return true;
}

static bool set_duration(const struct mr_option *option, uint64_t *to, const char *text,
                         struct mr_error *err)
{
    if (strcmp(text, "auto") == 0) {
        *to = MR_DURATION_AUTO;
        return true;
    }
    uint64_t number = 0;
    if (strcmp(text, "0") != 0 &&
        !parse_with_unit(text, duration_units, MR_ARRAY_LEN(duration_units), &number)) {
        return fail_value(option, text, "a duration such as 500ms, 10s, 5m, 12h or 7d", err);
    }
    if (number == MR_DURATION_AUTO) {
        return fail_value(option, text, "a duration that is not that long", err);
    }
    if (!check_range(option, text, number, err)) {
        return false;
    }
    *to = number;
    return true;
}

static bool set_bool(const struct mr_option *option, bool *to, const char *text,
                     struct mr_error *err)
{
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
        return fail_value(option, text, "true or false", err);
    }
    *to = text[0] == 't';
    return true;
}

static bool set_choice(const struct mr_option *option, unsigned *to, const char *text,
                       struct mr_error *err)
{
    char allowed[MR_ERROR_MESSAGE_BYTES_MAX / 2] = "one of";
    size_t length = strlen(allowed);
    MR_ASSERT(option->choices != NULL);
    for (unsigned i = 0; option->choices[i] != NULL; i++) {
        const size_t choice_length = strlen(option->choices[i]);
        if (strcmp(option->choices[i], text) == 0) {
            *to = i;
            return true;
        }
        if (length + choice_length + 2 < sizeof(allowed)) {
            allowed[length++] = ' ';
            memcpy(allowed + length, option->choices[i], choice_length + 1);
            length += choice_length;
        }
    }
    return fail_value(option, text, allowed, err);
}

/* A larger copy of an array of strings whenever count is a power of two; the old one stays kept. */
static const char **grow_strings(struct mr_option_memory *memory, const char **items, size_t count)
{
    if (count != 0 && (count & (count - 1)) != 0) {
        return items;
    }
    const char **grown =
        keep_block(memory, mr_memory_new(count == 0 ? 1 : count * 2, sizeof(*grown)));
    for (size_t i = 0; i < count; i++) {
        grown[i] = items[i];
    }
    return grown;
}

static void append_item(struct mr_string_list *list, struct mr_option_memory *memory,
                        const char *text)
{
    list->items = grow_strings(memory, list->items, list->count);
    list->items[list->count++] = mr_options_keep(memory, text);
}

/* A key that is there already gets the new value. */
static void put_pair(struct mr_string_map *map, struct mr_option_memory *memory, const char *key,
                     const char *text)
{
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->keys[i], key) == 0) {
            map->values[i] = mr_options_keep(memory, text);
            return;
        }
    }
    map->keys = grow_strings(memory, map->keys, map->count);
    map->values = grow_strings(memory, map->values, map->count);
    map->keys[map->count] = mr_options_keep(memory, key);
    map->values[map->count] = mr_options_keep(memory, text);
    map->count++;
}

/* What a value is set with, beside the option itself. */
struct setting {
    void *config;
    struct mr_option_memory *memory;
    const char *key;
    const char *text;
};

static bool set_value(const struct mr_option *option, const struct setting *setting,
                      struct mr_error *err)
{
    void *to = (uint8_t *)setting->config + option->offset;
    const char *text = setting->text;
    if ((setting->key != NULL) != (option->type == MR_OPT_MAP)) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       option->type == MR_OPT_MAP ? "option \"%s\" takes keys with values"
                                                  : "option \"%s\" takes no keys",
                       option->name);
    }
    switch (option->type) {
    case MR_OPT_STRING:
    case MR_OPT_SECRET:
        *(const char **)to = mr_options_keep(setting->memory, text);
        return true;
    case MR_OPT_BOOL:
        return set_bool(option, to, text, err);
    case MR_OPT_UINT:
        return set_uint(option, to, text, err);
    case MR_OPT_SIZE:
        return set_size(option, to, text, err);
    case MR_OPT_DURATION_MS:
        return set_duration(option, to, text, err);
    case MR_OPT_CHOICE:
        return set_choice(option, to, text, err);
    case MR_OPT_LIST:
        append_item(to, setting->memory, text);
        return true;
    case MR_OPT_MAP:
        put_pair(to, setting->memory, setting->key, text);
        return true;
    }
    return mr_fail(err, MR_E_CONFIG, MR_STOP, "option \"%s\" has no known type", option->name);
}

bool mr_options_defaults(const struct mr_option *options, void *config,
                         struct mr_option_memory *memory, struct mr_error *err)
{
    MR_ASSERT(options != NULL && config != NULL);
    for (const struct mr_option *option = options; option->name != NULL; option++) {
        if (option->fallback == NULL) {
            continue;
        }
        if (option->type == MR_OPT_LIST || option->type == MR_OPT_MAP || option->required) {
            return mr_fail(err, MR_E_CONFIG, MR_STOP, "option \"%s\" can have no default",
                           option->name);
        }
        const struct setting setting = {config, memory, NULL, option->fallback};
        if (!set_value(option, &setting, err)) {
            return mr_error_context(err, "default");
        }
    }
    return true;
}

const struct mr_option *mr_options_find(const struct mr_option *options, const char *name)
{
    MR_ASSERT(options != NULL && name != NULL);
    for (const struct mr_option *option = options; option->name != NULL; option++) {
        if (strcmp(option->name, name) == 0) {
            return option;
        }
    }
    return NULL;
}

// NOLINTNEXTLINE(readability-function-size): what a YAML scalar comes with
bool mr_options_set(const struct mr_option *options, void *config, struct mr_option_memory *memory,
                    const char *name, const char *key, const char *text, struct mr_error *err)
{
    MR_ASSERT(config != NULL && memory != NULL && text != NULL);
    const struct mr_option *option = mr_options_find(options, name);
    if (option != NULL) {
        const struct setting setting = {config, memory, key, text};
        return set_value(option, &setting, err);
    }
    const char *nearest = mr_options_nearest(options, name);
    if (nearest == NULL) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "there is no option \"%s\"", name);
    }
    return mr_fail(err, MR_E_CONFIG, MR_STOP, "there is no option \"%s\"; did you mean \"%s\"?",
                   name, nearest);
}

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance, one row at a time; both texts are at most NAME_BYTES_MAX long. */
static size_t edit_distance(const char *left, const char *right)
{
    const size_t length = strlen(right);
    size_t row[NAME_BYTES_MAX + 1];
    MR_ASSERT(length <= NAME_BYTES_MAX);
    for (size_t i = 0; i <= length; i++) {
        row[i] = i;
    }
    for (size_t l = 0; left[l] != '\0'; l++) {
        size_t diagonal = row[0];
        row[0] = l + 1;
        for (size_t r = 1; r <= length; r++) {
            const size_t replaced = diagonal + (left[l] == right[r - 1] ? 0 : 1);
            diagonal = row[r];
            row[r] = least_of(replaced, least_of(row[r], row[r - 1]) + 1);
        }
    }
    return row[length];
}

const char *mr_options_nearest(const struct mr_option *options, const char *name)
{
    const size_t length = strlen(name);
    const char *nearest = NULL;
    if (length > NAME_BYTES_MAX) {
        return NULL;
    }
    /* Nearer than a third of what was written, or two slips of the finger. */
    size_t best = (length / 3 < 2 ? 2 : length / 3) + 1;
    best = least_of(best, length);
    for (const struct mr_option *option = options; option->name != NULL; option++) {
        if (strlen(option->name) > NAME_BYTES_MAX) {
            continue;
        }
        const size_t distance = edit_distance(name, option->name);
        if (distance < best) {
            best = distance;
            nearest = option->name;
        }
    }
    return nearest;
}
