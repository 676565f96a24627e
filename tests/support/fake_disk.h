// SPDX-License-Identifier: MIT
/*
 * fake_disk.h - the disk under fake_env.c: files and directories with a live and a durable side.
 *
 * Every change is made to the live side at once and remembered in the node's list of operations. A
 * sync applies the list to the durable side; a crash applies a part of it, and then the durable
 * side is what there is. See fake_env.h for what may be lost.
 */
#ifndef MR_TESTS_SUPPORT_FAKE_DISK_H
#define MR_TESTS_SUPPORT_FAKE_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MR_FAKE_NAME_BYTES_MAX 255
#define MR_FAKE_SECTOR_BYTES   512

struct mr_fake_random {
    uint64_t state;
};

/** A number below `below` (> 0). */
uint64_t mr_fake_random_draw(struct mr_fake_random *random, uint64_t below);

struct mr_fake_node;

struct mr_fake_entry {
    char name[MR_FAKE_NAME_BYTES_MAX + 1];
    struct mr_fake_node *node;
};

struct mr_fake_image {
    uint8_t *bytes;
    size_t length;
    size_t capacity;
};

struct mr_fake_names {
    struct mr_fake_entry *entries;
    size_t count;
    size_t capacity;
};

enum mr_fake_op_kind {
    MR_FAKE_OP_WRITE,
    MR_FAKE_OP_TRUNCATE,
    MR_FAKE_OP_ALLOCATE,
    MR_FAKE_OP_LINK,   /* name -> node */
    MR_FAKE_OP_UNLINK, /* name */
    MR_FAKE_OP_RENAME, /* name -> new_name, node */
};

struct mr_fake_op {
    enum mr_fake_op_kind kind;
    size_t offset; /* the new length, for truncate and allocate */
    size_t length;
    uint8_t *bytes;
    char *name;
    char *new_name;
    struct mr_fake_node *node; /* the file the name stands or stood for */
};

struct mr_fake_node {
    bool is_dir;
    bool is_reached; /* the collector's mark */
    uint32_t open_count;
    int lock_fd; /* -1: not locked */
    struct mr_fake_image live;
    struct mr_fake_image durable;
    struct mr_fake_names live_names;
    struct mr_fake_names durable_names;
    struct mr_fake_op *ops;
    size_t op_count;
    size_t op_capacity;
    struct mr_fake_node *next; /* of all nodes */
};

struct mr_fake_disk {
    struct mr_fake_node *root;
    struct mr_fake_node *nodes;
};

void mr_fake_disk_init(struct mr_fake_disk *disk);
void mr_fake_disk_done(struct mr_fake_disk *disk);

/** The node at a path below `from`; NULL when there is none. */
struct mr_fake_node *mr_fake_disk_find(struct mr_fake_disk *disk, struct mr_fake_node *from,
                                       const char *path);

/** The directory that holds the last component, which goes to name[]; NULL when there is none. */
struct mr_fake_node *mr_fake_disk_find_parent(struct mr_fake_disk *disk, struct mr_fake_node *from,
                                              const char *path,
                                              char name[MR_FAKE_NAME_BYTES_MAX + 1]);

struct mr_fake_node *mr_fake_disk_lookup(const struct mr_fake_node *dir, const char *name);
struct mr_fake_node *mr_fake_disk_create(struct mr_fake_disk *disk, struct mr_fake_node *dir,
                                         const char *name, bool is_dir);
void mr_fake_disk_unlink(struct mr_fake_node *dir, const char *name);
void mr_fake_disk_rename(struct mr_fake_node *dir, const char *from, const char *to);

void mr_fake_disk_write(struct mr_fake_node *file, const void *bytes, size_t length, size_t offset);
void mr_fake_disk_truncate(struct mr_fake_node *file, size_t length);
void mr_fake_disk_allocate(struct mr_fake_node *file, size_t length);

/** Makes a node's operations durable. */
void mr_fake_disk_sync(struct mr_fake_node *node);
void mr_fake_disk_sync_all(struct mr_fake_disk *disk);

/** A sync that fails: a drawn part of the operations becomes durable, the rest never will. */
void mr_fake_disk_sync_badly(struct mr_fake_node *node, struct mr_fake_random *random);

/** Power loss: every node becomes its durable side plus a drawn part of its operations. */
void mr_fake_disk_crash(struct mr_fake_disk *disk, struct mr_fake_random *random);

/** Frees nodes that have no name, no open descriptor and no way back. */
void mr_fake_disk_collect(struct mr_fake_disk *disk);

/** Bytes of all files that are reachable or open. */
uint64_t mr_fake_disk_used(const struct mr_fake_disk *disk);

#endif
