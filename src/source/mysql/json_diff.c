// SPDX-License-Identifier: MIT
/*
 * json_diff.c - a document as a tree that is only as deep as the paths need, and edits of it.
 *
 * A node is either bytes of the document (or of a diff) or, once a path has led through it, a list
 * of members. Nodes live in an arena of one call.
 */
#include "json_diff.h"

#include <string.h>

#include "arena.h"
#include "json_binary.h"
#include "json_walk.h"
#include "reader.h"
#include "table_map.h"

#define TREE_BYTES_MIN ((size_t)64 << 10)
#define TREE_GROWTH    24 /* bytes of tree a byte of document: 40 for three, and lists that grow */

enum operation { OPERATION_REPLACE = 0, OPERATION_INSERT = 1, OPERATION_REMOVE = 2 };

struct member;

struct list {
    struct member *members; /* of an object: ordered as the server orders them */
    uint32_t count;
    uint32_t capacity;
    bool is_object;
};

struct node {
    struct list *list; /* NULL: bytes and type */
    const uint8_t *bytes;
    uint32_t length;
    uint8_t type; /* enum mr_json_type, not checked */
};

struct member {
    struct node value;
    const uint8_t *key; /* of an object's member */
    uint16_t key_length;
};

struct tree {
    struct mr_arena arena;
    struct node root;
    struct mr_error *err;
};

static bool fail_room(struct mr_error *err)
{
    return mr_fail(err, MR_E_LIMIT, MR_STOP, "a JSON document is too large to be edited in memory");
}

static bool fail_diff(struct mr_error *err, const char *what)
{
    MR_ASSERT(what != NULL);
    return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "JSON diff: %s", what);
}

/* ---- The tree. ---- */

/** The server's order of keys: the shorter first, equally long ones by their bytes. */
static int compare_keys(struct mr_slice left, struct mr_slice right)
{
    if (left.length != right.length) {
        return left.length < right.length ? -1 : 1;
    }
    return left.length == 0 ? 0 : memcmp(left.bytes, right.bytes, left.length);
}

static bool fill_list(struct tree *tree, const struct mr_json_container *container,
                      struct list *list)
{
    MR_ASSERT(list->capacity >= container->count);
    for (uint64_t i = 0; i < container->count; i++) {
        struct member *member = &list->members[i];
        struct mr_json_value value = {0};
        struct mr_slice key = {0};
        if ((container->is_object && !mr_json_container_key(container, i, &key, tree->err)) ||
            !mr_json_container_value(container, i, &value, tree->err)) {
            return false;
        }
        *member = (struct member){
            .value = {.bytes = value.bytes.bytes,
                      .length = (uint32_t)value.bytes.length,
                      .type = value.type},
            .key = key.bytes,
            .key_length = (uint16_t)key.length,
        };
    }
    list->count = (uint32_t)container->count;
    return true;
}

/** Takes a node apart; *list stays NULL for a scalar. */
static bool open_node(struct tree *tree, struct node *node, struct list **list)
{
    *list = node->list;
    if (node->list != NULL || !mr_json_is_container(node->type)) {
        return true;
    }
    struct mr_json_container container = {0};
    const struct mr_json_value value = {.bytes = {node->bytes, node->length}, .type = node->type};
    if (!mr_json_container_open(value, &container, tree->err)) {
        return false;
    }
    struct list *made = MR_ARENA_NEW(&tree->arena, struct list, 1);
    if (made == NULL) {
        return fail_room(tree->err);
    }
    made->is_object = container.is_object;
    made->capacity = (uint32_t)container.count + 4;
    made->members = mr_arena_alloc(&tree->arena, made->capacity * sizeof(struct member),
                                   _Alignof(struct member));
    if (made->members == NULL) {
        return fail_room(tree->err);
    }
    if (!fill_list(tree, &container, made)) {
        return false;
    }
    node->list = made;
    *list = made;
    return true;
}

/** Makes room at `at`. */
static bool widen(struct tree *tree, struct list *list, uint32_t at)
{
    MR_ASSERT(at <= list->count && list->count <= list->capacity);
    if (list->count == list->capacity) {
        const uint32_t capacity = list->capacity * 2;
        struct member *members = mr_arena_alloc(
            &tree->arena, (size_t)capacity * sizeof(struct member), _Alignof(struct member));
        if (members == NULL) {
            return fail_room(tree->err);
        }
        memcpy(members, list->members, list->count * sizeof(struct member));
        list->members = members;
        list->capacity = capacity;
    }
    memmove(list->members + at + 1, list->members + at, (list->count - at) * sizeof(struct member));
    list->count++;
    return true;
}

static void narrow(struct list *list, uint32_t at)
{
    MR_ASSERT(at < list->count);
    memmove(list->members + at, list->members + at + 1,
            (list->count - at - 1) * sizeof(struct member));
    list->count--;
}

/* ---- Paths. ---- */

struct leg {
    struct mr_slice name; /* of a member; unescaped */
    uint32_t index;       /* of a cell; from the end, 0 being the last, when from_end */
    bool is_member;
    bool from_end;
};

static bool at_byte(const struct mr_reader *path, uint8_t byte)
{
    if (mr_reader_left(path) == 0) {
        return false;
    }
    MR_ASSERT(path->base != NULL);
    return path->base[path->offset] == byte;
}

static bool take_byte(struct mr_reader *path, uint8_t byte)
{
    if (!at_byte(path, byte)) {
        return false;
    }
    path->offset++;
    return true;
}

/** Four hexadecimal digits, of a character of the basic plane but no surrogate: controls only. */
static bool take_code(struct mr_reader *path, uint32_t *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++) {
        const uint8_t c = mr_read_u8(path);
        const uint32_t digit = c >= '0' && c <= '9'   ? c - (uint32_t)'0'
                               : c >= 'a' && c <= 'f' ? c - (uint32_t)'a' + 10
                               : c >= 'A' && c <= 'F' ? c - (uint32_t)'A' + 10
                                                      : 16;
        if (digit > 15) {
            return false;
        }
        *code = *code << 4 | digit;
    }
    return *code < 0x80; /* the server escapes nothing else */
}

/** What follows a backslash; false for what no server writes. */
static bool take_escape(struct mr_reader *path, uint8_t *byte)
{
    static const char letters[] = "btnfr\"\\/";
    static const char meanings[] = "\b\t\n\f\r\"\\/";
    const uint8_t c = mr_read_u8(path);
    if (c == 'u') {
        uint32_t code = 0;
        const bool good = take_code(path, &code);
        *byte = (uint8_t)code;
        return good;
    }
    const char *found = c == 0 ? NULL : strchr(letters, c);
    if (found == NULL) {
        return false;
    }
    *byte = (uint8_t)meanings[found - letters];
    return true;
}

/** The rest of "quoted": unescaped into the arena. */
static bool take_quoted(struct tree *tree, struct mr_reader *path, struct mr_slice *name)
{
    uint8_t *to = mr_arena_alloc(&tree->arena, mr_reader_left(path) + 1, 1);
    size_t length = 0;
    if (to == NULL) {
        return fail_room(tree->err);
    }
    while (!take_byte(path, '"')) {
        uint8_t byte = mr_read_u8(path);
        if (!mr_reader_ok(path) || (byte == '\\' && !take_escape(path, &byte))) {
            return fail_diff(tree->err, "a quoted name in a path cannot be read");
        }
        to[length++] = byte;
    }
    *name = (struct mr_slice){to, length};
    return true;
}

static void take_bare(struct mr_reader *path, struct mr_slice *name)
{
    const size_t start = path->offset;
    while (mr_reader_left(path) > 0 && !at_byte(path, '.') && !at_byte(path, '[')) {
        path->offset++;
    }
    *name = (struct mr_slice){path->base + start, path->offset - start};
}

static bool take_number(struct mr_reader *path, uint32_t *number)
{
    uint64_t value = 0;
    unsigned digits = 0;
    while (mr_reader_left(path) > 0 && digits < 10) {
        const uint8_t c = path->base[path->offset];
        if (c < '0' || c > '9') {
            break;
        }
        value = value * 10 + (c - (uint64_t)'0');
        path->offset++;
        digits++;
    }
    *number = (uint32_t)value;
    return digits > 0 && value <= UINT32_MAX;
}

static bool take_cell(struct mr_reader *path, struct leg *leg)
{
    static const char last[] = "last";
    const size_t left = mr_reader_left(path);
    if (left >= 4 && memcmp(path->base + path->offset, last, 4) == 0) {
        path->offset += 4;
        leg->from_end = true;
        if (take_byte(path, '-') && !take_number(path, &leg->index)) {
            return false;
        }
    } else if (!take_number(path, &leg->index)) {
        return false;
    }
    return take_byte(path, ']');
}

static bool take_leg(struct tree *tree, struct mr_reader *path, struct leg *leg)
{
    *leg = (struct leg){0};
    if (take_byte(path, '[')) {
        return take_cell(path, leg) || fail_diff(tree->err, "a path's [index] cannot be read");
    }
    leg->is_member = true;
    if (!take_byte(path, '.')) {
        return fail_diff(tree->err, "a path goes on with neither . nor [");
    }
    if (take_byte(path, '"')) {
        return take_quoted(tree, path, &leg->name);
    }
    take_bare(path, &leg->name);
    return leg->name.length > 0 || fail_diff(tree->err, "a path has an empty name");
}

/** Where a leg leads in a list: the place of what it names, or where that would be put. */
struct spot {
    uint32_t at;
    bool is_there;
};

static struct spot find_member(const struct list *list, struct mr_slice name)
{
    MR_ASSERT(list->is_object);
    uint32_t low = 0;
    uint32_t high = list->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const struct member *member = &list->members[middle];
        const int order = compare_keys((struct mr_slice){member->key, member->key_length}, name);
        if (order == 0) {
            return (struct spot){.at = middle, .is_there = true};
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return (struct spot){.at = low};
}

static struct spot find_cell(const struct list *list, const struct leg *leg)
{
    MR_ASSERT(!list->is_object && !leg->is_member);
    if (!leg->from_end) {
        const bool is_there = leg->index < list->count;
        return (struct spot){.at = is_there ? leg->index : list->count, .is_there = is_there};
    }
    const bool is_there = leg->index < list->count;
    return (struct spot){.at = is_there ? list->count - 1 - leg->index : 0, .is_there = is_there};
}

/* ---- Applying. ---- */

static bool edit(struct tree *tree, struct list *list, const struct leg *leg,
                 enum operation operation, const struct node *value)
{
    MR_ASSERT(list->is_object == leg->is_member);
    const struct spot spot = list->is_object ? find_member(list, leg->name) : find_cell(list, leg);
    if (operation == OPERATION_INSERT) {
        if (spot.is_there && list->is_object) {
            return fail_diff(tree->err, "inserts a name that is there");
        }
        if (leg->name.length > UINT16_MAX) {
            return fail_diff(tree->err, "a name is too long");
        }
        if (!widen(tree, list, spot.at)) {
            return false;
        }
        list->members[spot.at] = (struct member){
            .value = *value, .key = leg->name.bytes, .key_length = (uint16_t)leg->name.length};
        return true;
    }
    if (!spot.is_there) {
        return fail_diff(tree->err, "changes what is not there");
    }
    if (operation == OPERATION_REMOVE) {
        narrow(list, spot.at);
    } else {
        list->members[spot.at].value = *value;
    }
    return true;
}

/** Follows a path to the list that its last leg names something in, and edits it. */
static bool apply_at(struct tree *tree, struct mr_slice text, enum operation operation,
                     const struct node *value)
{
    struct mr_reader path = mr_reader_init(text.bytes, text.length);
    struct node *node = &tree->root;
    if (!take_byte(&path, '$') || mr_reader_left(&path) == 0) {
        return fail_diff(tree->err, "a path does not lead into the document");
    }
    for (unsigned depth = 0; depth <= MR_JSON_DEPTH_MAX; depth++) {
        struct leg leg;
        struct list *list = NULL;
        if (!take_leg(tree, &path, &leg) || !open_node(tree, node, &list)) {
            return false;
        }
        if (list == NULL || list->is_object != leg.is_member) {
            return fail_diff(tree->err, "a path leads through what is not there");
        }
        if (mr_reader_left(&path) == 0) {
            return edit(tree, list, &leg, operation, value);
        }
        const struct spot spot =
            list->is_object ? find_member(list, leg.name) : find_cell(list, &leg);
        if (!spot.is_there) {
            return fail_diff(tree->err, "a path leads through what is not there");
        }
        node = &list->members[spot.at].value;
    }
    return fail_diff(tree->err, "a path is too long");
}

static bool set_node(struct tree *tree, struct mr_slice document, struct node *node)
{
    if (document.length == 0 || document.length > UINT32_MAX) {
        return fail_diff(tree->err, "a value has no bytes");
    }
    *node = (struct node){.bytes = document.bytes + 1,
                          .length = (uint32_t)(document.length - 1),
                          .type = document.bytes[0]};
    return true;
}

static bool apply_next(struct tree *tree, struct mr_reader *in)
{
    const uint8_t operation = mr_read_u8(in);
    const struct mr_slice path = mr_read_slice(in, mr_read_lenenc(in));
    struct node value = {0};
    if (operation > OPERATION_REMOVE) {
        return fail_diff(tree->err, "no such operation");
    }
    if (operation != OPERATION_REMOVE) {
        const struct mr_slice document = mr_read_slice(in, mr_read_lenenc(in));
        if (mr_reader_ok(in) && !set_node(tree, document, &value)) {
            return false;
        }
    }
    if (!mr_reader_ok(in)) {
        return fail_diff(tree->err, "is cut off");
    }
    return apply_at(tree, path, (enum operation)operation, &value);
}

/* ---- Printing. ---- */

static bool print_node(struct mr_json_printer *printer, const struct node *node)
{
    const struct list *list = node->list;
    if (list == NULL) {
        return mr_json_print_value(
            printer,
            (struct mr_json_value){.bytes = {node->bytes, node->length}, .type = node->type});
    }
    MR_ASSERT(printer->depth < MR_JSON_DEPTH_MAX + 1);
    if (printer->depth >= MR_JSON_DEPTH_MAX) {
        return mr_json_fail(printer->err, "nested too deeply");
    }
    printer->depth++;
    mr_write_u8(printer->to, list->is_object ? '{' : '[');
    for (uint32_t i = 0; i < list->count; i++) {
        const struct member *member = &list->members[i];
        mr_write_bytes(printer->to, ", ", i == 0 ? 0 : 2);
        if (list->is_object) {
            if (!mr_json_print_string(printer,
                                      (struct mr_slice){member->key, member->key_length})) {
                return false;
            }
            mr_write_bytes(printer->to, ": ", 2);
        }
        if (!print_node(printer, &member->value) || !mr_json_fits(printer)) {
            return false;
        }
    }
    mr_write_u8(printer->to, list->is_object ? '}' : ']');
    printer->depth--;
    return mr_json_fits(printer);
}

bool mr_mysql_json_diff_apply(struct mr_slice before, struct mr_slice diffs, struct mr_writer *to,
                              struct mr_error *err)
{
    MR_ASSERT(to->limit > 0);
    struct tree tree = {.err = err};
    if (before.length + diffs.length > UINT32_MAX) {
        return fail_room(err);
    }
    const size_t room = TREE_BYTES_MIN + (before.length + diffs.length) * TREE_GROWTH;
    if (!mr_arena_init(&tree.arena, room, 0, err)) {
        return false;
    }
    struct mr_reader in = mr_reader_init(diffs.bytes, diffs.length);
    bool good = set_node(&tree, before, &tree.root);
    while (good && mr_reader_left(&in) > 0) {
        good = apply_next(&tree, &in);
    }
    struct mr_json_printer printer = {.to = to, .err = err};
    good = good && print_node(&printer, &tree.root) && mr_json_fits(&printer);
    mr_arena_done(&tree.arena);
    return good;
}
