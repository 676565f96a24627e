// SPDX-License-Identifier: MIT
/*
 * fake_disk.c - what survives a crash, and what does not (see fake_disk.h and fake_env.h).
 */
#include "fake_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler.h"
#include "memory.h"

/* splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014). */
uint64_t mr_fake_random_draw(struct mr_fake_random *random, uint64_t below)
{
    MR_ASSERT(below > 0);
    random->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = random->state;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % below;
}

/* ---- Bytes. ---- */

static void image_resize(struct mr_fake_image *image, size_t length)
{
    if (length > image->capacity) {
        size_t capacity = image->capacity < 256 ? 256 : image->capacity;
        while (capacity < length) {
            capacity *= 2;
        }
        image->bytes = mr_memory_resize(image->bytes, capacity, 1);
        image->capacity = capacity;
    }
    if (length > image->length) {
        memset(image->bytes + image->length, 0, length - image->length);
    }
    image->length = length;
}

static void image_write(struct mr_fake_image *image, const uint8_t *bytes, size_t length,
                        size_t offset)
{
    if (length == 0) {
        return;
    }
    if (offset + length > image->length) {
        image_resize(image, offset + length);
    }
    memcpy(image->bytes + offset, bytes, length);
}

/* ---- Names. ---- */

static struct mr_fake_entry *names_find(const struct mr_fake_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->entries[i].name, name) == 0) {
            return &names->entries[i];
        }
    }
    return NULL;
}

static void names_set(struct mr_fake_names *names, const char *name, struct mr_fake_node *node)
{
    struct mr_fake_entry *entry = names_find(names, name);
    if (entry == NULL) {
        if (names->count == names->capacity) {
            names->capacity = names->capacity == 0 ? 8 : names->capacity * 2;
            names->entries =
                mr_memory_resize(names->entries, names->capacity, sizeof(*names->entries));
        }
        entry = &names->entries[names->count++];
        (void)snprintf(entry->name, sizeof(entry->name), "%s", name);
    }
    entry->node = node;
}

static void names_remove(struct mr_fake_names *names, const char *name)
{
    struct mr_fake_entry *entry = names_find(names, name);
    if (entry != NULL) {
        *entry = names->entries[--names->count];
    }
}

static void names_copy(struct mr_fake_names *to, const struct mr_fake_names *from)
{
    to->count = 0;
    for (size_t i = 0; i < from->count; i++) {
        names_set(to, from->entries[i].name, from->entries[i].node);
    }
}

/* ---- Operations. ---- */

static void op_free(struct mr_fake_op *op)
{
    free(op->bytes);
    free(op->name);
    free(op->new_name);
}

static void forget_ops(struct mr_fake_node *node)
{
    for (size_t i = 0; i < node->op_count; i++) {
        op_free(&node->ops[i]);
    }
    node->op_count = 0;
}

static void apply_op(struct mr_fake_node *node, const struct mr_fake_op *op, bool live)
{
    struct mr_fake_image *image = live ? &node->live : &node->durable;
    struct mr_fake_names *names = live ? &node->live_names : &node->durable_names;
    switch (op->kind) {
    case MR_FAKE_OP_WRITE:
        image_write(image, op->bytes, op->length, op->offset);
        break;
    case MR_FAKE_OP_TRUNCATE:
        image_resize(image, op->offset);
        break;
    case MR_FAKE_OP_ALLOCATE:
        image_resize(image, op->offset > image->length ? op->offset : image->length);
        break;
    case MR_FAKE_OP_LINK:
        names_set(names, op->name, op->node);
        break;
    case MR_FAKE_OP_UNLINK:
        names_remove(names, op->name);
        break;
    case MR_FAKE_OP_RENAME:
        names_remove(names, op->name);
        names_set(names, op->new_name, op->node);
        break;
    }
}

static void add_op(struct mr_fake_node *node, struct mr_fake_op op)
{
    if (node->op_count == node->op_capacity) {
        node->op_capacity = node->op_capacity == 0 ? 8 : node->op_capacity * 2;
        node->ops = mr_memory_resize(node->ops, node->op_capacity, sizeof(*node->ops));
    }
    node->ops[node->op_count++] = op;
    apply_op(node, &node->ops[node->op_count - 1], true);
}

static char *copy_name(const char *name)
{
    return mr_memory_copy_text(name, strlen(name));
}

void mr_fake_disk_write(struct mr_fake_node *file, const void *bytes, size_t length, size_t offset)
{
    MR_ASSERT(!file->is_dir && length > 0);
    uint8_t *copy = mr_memory_new(length, 1);
    memcpy(copy, bytes, length);
    add_op(file, (struct mr_fake_op){
                     .kind = MR_FAKE_OP_WRITE, .offset = offset, .length = length, .bytes = copy});
}

void mr_fake_disk_truncate(struct mr_fake_node *file, size_t length)
{
    MR_ASSERT(!file->is_dir);
    add_op(file, (struct mr_fake_op){.kind = MR_FAKE_OP_TRUNCATE, .offset = length});
}

void mr_fake_disk_allocate(struct mr_fake_node *file, size_t length)
{
    MR_ASSERT(!file->is_dir);
    add_op(file, (struct mr_fake_op){.kind = MR_FAKE_OP_ALLOCATE, .offset = length});
}

/* ---- The tree. ---- */

static struct mr_fake_node *new_node(struct mr_fake_disk *disk, bool is_dir)
{
    struct mr_fake_node *node = mr_memory_new(1, sizeof(*node));
    node->is_dir = is_dir;
    node->lock_fd = -1;
    node->next = disk->nodes;
    disk->nodes = node;
    return node;
}

static void free_node(struct mr_fake_node *node)
{
    forget_ops(node);
    free(node->ops);
    free(node->live.bytes);
    free(node->durable.bytes);
    free(node->live_names.entries);
    free(node->durable_names.entries);
    free(node);
}

void mr_fake_disk_init(struct mr_fake_disk *disk)
{
    *disk = (struct mr_fake_disk){0};
    disk->root = new_node(disk, true);
}

void mr_fake_disk_done(struct mr_fake_disk *disk)
{
    while (disk->nodes != NULL) {
        struct mr_fake_node *node = disk->nodes;
        disk->nodes = node->next;
        free_node(node);
    }
}

struct mr_fake_node *mr_fake_disk_lookup(const struct mr_fake_node *dir, const char *name)
{
    MR_ASSERT(dir->is_dir);
    const struct mr_fake_entry *entry = names_find(&dir->live_names, name);
    return entry == NULL ? NULL : entry->node;
}

struct mr_fake_node *mr_fake_disk_find_parent(struct mr_fake_disk *disk, struct mr_fake_node *from,
                                              const char *path,
                                              char name[MR_FAKE_NAME_BYTES_MAX + 1])
{
    struct mr_fake_node *dir = path[0] == '/' ? disk->root : from;
    name[0] = '\0';
    while (*path != '\0') {
        const size_t length = strcspn(path, "/");
        if (length > MR_FAKE_NAME_BYTES_MAX || dir == NULL || !dir->is_dir) {
            return NULL;
        }
        const bool is_step = length == 0 || (length == 1 && path[0] == '.');
        if (!is_step) {
            memcpy(name, path, length);
            name[length] = '\0';
        }
        path += length;
        path += strspn(path, "/");
        if (*path != '\0' && !is_step) {
            dir = mr_fake_disk_lookup(dir, name);
        }
    }
    return dir != NULL && dir->is_dir ? dir : NULL;
}

struct mr_fake_node *mr_fake_disk_find(struct mr_fake_disk *disk, struct mr_fake_node *from,
                                       const char *path)
{
    char name[MR_FAKE_NAME_BYTES_MAX + 1];
    struct mr_fake_node *dir = mr_fake_disk_find_parent(disk, from, path, name);
    if (dir == NULL || name[0] == '\0') {
        return dir;
    }
    return mr_fake_disk_lookup(dir, name);
}

struct mr_fake_node *mr_fake_disk_create(struct mr_fake_disk *disk, struct mr_fake_node *dir,
                                         const char *name, bool is_dir)
{
    MR_ASSERT(mr_fake_disk_lookup(dir, name) == NULL);
    struct mr_fake_node *node = new_node(disk, is_dir);
    add_op(dir,
           (struct mr_fake_op){.kind = MR_FAKE_OP_LINK, .name = copy_name(name), .node = node});
    return node;
}

void mr_fake_disk_unlink(struct mr_fake_node *dir, const char *name)
{
    struct mr_fake_node *node = mr_fake_disk_lookup(dir, name);
    MR_ASSERT(node != NULL);
    add_op(dir,
           (struct mr_fake_op){.kind = MR_FAKE_OP_UNLINK, .name = copy_name(name), .node = node});
}

void mr_fake_disk_rename(struct mr_fake_node *dir, const char *from, const char *to)
{
    struct mr_fake_node *node = mr_fake_disk_lookup(dir, from);
    MR_ASSERT(node != NULL);
    add_op(dir, (struct mr_fake_op){.kind = MR_FAKE_OP_RENAME,
                                    .name = copy_name(from),
                                    .new_name = copy_name(to),
                                    .node = node});
}

/* ---- Syncs and crashes. ---- */

void mr_fake_disk_sync(struct mr_fake_node *node)
{
    for (size_t i = 0; i < node->op_count; i++) {
        apply_op(node, &node->ops[i], false);
    }
    forget_ops(node);
}

void mr_fake_disk_sync_all(struct mr_fake_disk *disk)
{
    for (struct mr_fake_node *node = disk->nodes; node != NULL; node = node->next) {
        mr_fake_disk_sync(node);
    }
}

/* Sectors of a write survive one by one; a byte prefix of the last one stands for odd devices. */
static void apply_torn_write(struct mr_fake_node *node, const struct mr_fake_op *op,
                             struct mr_fake_random *random)
{
    const bool keeps_length = mr_fake_random_draw(random, 2) == 0;
    const size_t end = op->offset + op->length;
    for (size_t at = op->offset; at < end;) {
        const size_t sector_end = at - at % MR_FAKE_SECTOR_BYTES + MR_FAKE_SECTOR_BYTES;
        size_t length = (sector_end < end ? sector_end : end) - at;
        const size_t step = length;
        const uint64_t fate = mr_fake_random_draw(random, 8);
        if (fate == 0) {
            length = (size_t)mr_fake_random_draw(random, length);
        }
        if (fate < 4) {
            image_write(&node->durable, op->bytes + (at - op->offset), length, at);
        }
        at += step;
    }
    if (keeps_length && end > node->durable.length) {
        image_resize(&node->durable, end);
    }
}

/* How much of what was not durable one crash leaves: from nothing to everything. */
static uint64_t draw_chance(struct mr_fake_random *random)
{
    static const uint64_t chances[] = {0, 25, 50, 75, 100};
    return chances[mr_fake_random_draw(random, MR_ARRAY_LEN(chances))];
}

static void settle_file(struct mr_fake_node *node, struct mr_fake_random *random)
{
    const uint64_t chance = draw_chance(random);
    for (size_t i = 0; i < node->op_count; i++) {
        const struct mr_fake_op *op = &node->ops[i];
        if (mr_fake_random_draw(random, 100) < chance) {
            apply_op(node, op, false);
        } else if (op->kind == MR_FAKE_OP_WRITE && mr_fake_random_draw(random, 2) == 0) {
            apply_torn_write(node, op, random);
        }
    }
    forget_ops(node);
}

/* An operation on a file whose earlier operation in this directory was lost is lost with it. */
static void settle_dir(struct mr_fake_node *node, struct mr_fake_random *random)
{
    const uint64_t chance = draw_chance(random);
    const bool by_prefix = mr_fake_random_draw(random, 2) == 0;
    bool *lost = mr_memory_new(node->op_count, sizeof(*lost));
    for (size_t i = 0; i < node->op_count; i++) {
        lost[i] = mr_fake_random_draw(random, 100) >= chance;
        for (size_t before = 0; before < i && !lost[i]; before++) {
            lost[i] = lost[before] && (by_prefix || node->ops[before].node == node->ops[i].node);
        }
        if (!lost[i]) {
            apply_op(node, &node->ops[i], false);
        }
    }
    free(lost);
    forget_ops(node);
}

void mr_fake_disk_sync_badly(struct mr_fake_node *node, struct mr_fake_random *random)
{
    if (node->is_dir) {
        settle_dir(node, random);
    } else {
        settle_file(node, random);
    }
}

static void restart_node(struct mr_fake_node *node)
{
    image_resize(&node->live, 0);
    image_write(&node->live, node->durable.bytes, node->durable.length, 0);
    names_copy(&node->live_names, &node->durable_names);
    node->open_count = 0;
    node->lock_fd = -1;
}

void mr_fake_disk_crash(struct mr_fake_disk *disk, struct mr_fake_random *random)
{
    for (struct mr_fake_node *node = disk->nodes; node != NULL; node = node->next) {
        mr_fake_disk_sync_badly(node, random);
    }
    for (struct mr_fake_node *node = disk->nodes; node != NULL; node = node->next) {
        restart_node(node);
    }
    mr_fake_disk_collect(disk);
}

/* Marks all that one directory can still name: live, durable, or by an operation not settled. */
static bool mark_children(const struct mr_fake_node *dir)
{
    bool found = false;
    const struct mr_fake_names *both[] = {&dir->live_names, &dir->durable_names};
    for (size_t b = 0; b < MR_ARRAY_LEN(both); b++) {
        for (size_t i = 0; i < both[b]->count; i++) {
            found |= !both[b]->entries[i].node->is_reached;
            both[b]->entries[i].node->is_reached = true;
        }
    }
    for (size_t i = 0; i < dir->op_count; i++) {
        found |= !dir->ops[i].node->is_reached;
        dir->ops[i].node->is_reached = true;
    }
    return found;
}

void mr_fake_disk_collect(struct mr_fake_disk *disk)
{
    for (struct mr_fake_node *node = disk->nodes; node != NULL; node = node->next) {
        node->is_reached = node == disk->root || node->open_count > 0;
    }
    bool found = true;
    while (found) {
        found = false;
        for (struct mr_fake_node *node = disk->nodes; node != NULL; node = node->next) {
            found |= node->is_reached && node->is_dir && mark_children(node);
        }
    }
    for (struct mr_fake_node **link = &disk->nodes; *link != NULL;) {
        struct mr_fake_node *node = *link;
        if (node->is_reached) {
            link = &node->next;
        } else {
            *link = node->next;
            free_node(node);
        }
    }
}

uint64_t mr_fake_disk_used(const struct mr_fake_disk *disk)
{
    uint64_t used = 0;
    for (const struct mr_fake_node *dir = disk->nodes; dir != NULL; dir = dir->next) {
        for (size_t i = 0; i < dir->live_names.count; i++) {
            const struct mr_fake_node *node = dir->live_names.entries[i].node;
            used += node->is_dir || node->open_count > 0 ? 0 : node->live.length;
        }
        used += dir->open_count > 0 ? dir->live.length : 0;
    }
    return used;
}
