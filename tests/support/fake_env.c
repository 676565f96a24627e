// SPDX-License-Identifier: MIT
/*
 * fake_env.c - struct mr_env over fake_disk.c: descriptors, faults, death, space and time.
 *
 * Every call begins with enter(), which counts it and says what is to become of it, and ends with
 * leave(), which turns the result of a call in which the process dies into a failure.
 *
 * Descriptor numbers are never used twice, so that what is left over from before a crash can do no
 * harm after it.
 */
#include "fake_env.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "compiler.h"
#include "fake_disk.h"
#include "memory.h"

#define FIRST_FD      1000
#define START_UNIX_US INT64_C(1750000000000000) /* June 2025 */
#define START_NS      UINT64_C(5000000000)

struct descriptor {
    struct mr_fake_node *node; /* NULL: closed */
    int access;                /* O_RDONLY, O_WRONLY or O_RDWR */
};

struct mr_fake_env {
    struct mr_env env;
    struct mr_fake_disk disk;
    struct mr_fake_random decisions;
    struct mr_fake_random randomness; /* apart, so that asking for numbers changes no decision */
    struct descriptor *descriptors;   /* number - first_fd */
    size_t descriptor_count;
    size_t descriptor_capacity;
    int first_fd; /* lower numbers are from before a crash */

    uint64_t counts[MR_FAKE_CALL_COUNT];
    uint64_t numbered_count;
    uint64_t misuse_count;

    bool is_dead;
    uint64_t dies_at; /* numbered_count of the call; MR_FAKE_NEVER */

    bool has_fault;
    struct mr_fake_fault fault;
    uint64_t fault_count;

    uint64_t space_bytes;
    bool has_short_io;

    uint64_t now_ns;
    int64_t unix_us;
    uint64_t tick_us;
};

enum verdict { PROCEED, FAIL, DIE };

static struct mr_fake_env *fake_of(const struct mr_env *env)
{
    return env->state;
}

static bool is_fault_due(struct mr_fake_env *fake, enum mr_fake_call call)
{
    if (!fake->has_fault || (fake->fault.call != MR_FAKE_ANY_CALL && fake->fault.call != call)) {
        return false;
    }
    if (fake->fault.after > 0) {
        fake->fault.after--;
        return false;
    }
    fake->fault_count++;
    fake->has_fault = fake->fault.for_good;
    return true;
}

static enum verdict enter(struct mr_fake_env *fake, enum mr_fake_call call)
{
    fake->counts[call]++;
    mr_fake_env_advance_us(fake, fake->tick_us);
    if (call >= MR_FAKE_MONOTONIC_NS) {
        return PROCEED;
    }
    const uint64_t number = fake->numbered_count++;
    if (fake->is_dead) {
        errno = EIO;
        return FAIL;
    }
    if (number == fake->dies_at) {
        fake->is_dead = true;
        errno = EIO;
        return mr_fake_random_draw(&fake->decisions, 2) == 0 ? DIE : FAIL;
    }
    if (is_fault_due(fake, call)) {
        errno = fake->fault.sys_errno != 0 ? fake->fault.sys_errno : EIO;
        return FAIL;
    }
    return PROCEED;
}

static int leave(enum verdict verdict, int result)
{
    if (verdict == DIE) {
        errno = EIO;
        return -1;
    }
    return result;
}

static int fail_with(int sys_errno)
{
    errno = sys_errno;
    return -1;
}

/* ---- Descriptors. ---- */

static struct descriptor *find_descriptor(struct mr_fake_env *fake, int fd)
{
    const int64_t index = (int64_t)fd - fake->first_fd;
    if (index >= 0 && index < (int64_t)fake->descriptor_count &&
        fake->descriptors[index].node != NULL) {
        return &fake->descriptors[index];
    }
    fake->misuse_count += index >= 0 || fd < FIRST_FD ? 1 : 0;
    errno = EBADF;
    return NULL;
}

static int open_descriptor(struct mr_fake_env *fake, struct mr_fake_node *node, int access)
{
    if (fake->descriptor_count == fake->descriptor_capacity) {
        fake->descriptor_capacity =
            fake->descriptor_capacity == 0 ? 16 : fake->descriptor_capacity * 2;
        fake->descriptors = mr_memory_resize(fake->descriptors, fake->descriptor_capacity,
                                             sizeof(*fake->descriptors));
    }
    fake->descriptors[fake->descriptor_count] = (struct descriptor){.node = node, .access = access};
    node->open_count++;
    return fake->first_fd + (int)fake->descriptor_count++;
}

static struct mr_fake_node *find_dir(struct mr_fake_env *fake, int dir_fd)
{
    if (dir_fd == MR_ENV_CWD) {
        return fake->disk.root;
    }
    struct descriptor *descriptor = find_descriptor(fake, dir_fd);
    if (descriptor != NULL && !descriptor->node->is_dir) {
        errno = ENOTDIR;
        return NULL;
    }
    return descriptor == NULL ? NULL : descriptor->node;
}

/* The open file behind fd; NULL with errno unless it allows the access wanted. */
static struct mr_fake_node *find_file(struct mr_fake_env *fake, int fd, int wanted)
{
    struct descriptor *descriptor = find_descriptor(fake, fd);
    if (descriptor == NULL) {
        return NULL;
    }
    if (descriptor->node->is_dir) {
        errno = EISDIR;
        return NULL;
    }
    if (descriptor->access != O_RDWR && descriptor->access != wanted) {
        fake->misuse_count++;
        errno = EBADF;
        return NULL;
    }
    return descriptor->node;
}

/* ---- Names. ---- */

static int fake_open_dir(const struct mr_env *env, int dir_fd, const char *name)
{
    struct mr_fake_env *fake = fake_of(env);
    const enum verdict verdict = enter(fake, MR_FAKE_OPEN_DIR);
    if (verdict != PROCEED) {
        return -1;
    }
    struct mr_fake_node *from = find_dir(fake, dir_fd);
    if (from == NULL) {
        return -1;
    }
    struct mr_fake_node *dir = mr_fake_disk_find(&fake->disk, from, name);
    if (dir == NULL || !dir->is_dir) {
        return fail_with(dir == NULL ? ENOENT : ENOTDIR);
    }
    return open_descriptor(fake, dir, O_RDONLY);
}

static int fake_make_dir(const struct mr_env *env, int dir_fd, const char *path, mode_t mode)
{
    struct mr_fake_env *fake = fake_of(env);
    const enum verdict verdict = enter(fake, MR_FAKE_MAKE_DIR);
    char name[MR_FAKE_NAME_BYTES_MAX + 1];
    (void)mode;
    if (verdict == FAIL) {
        return -1;
    }
    struct mr_fake_node *from = find_dir(fake, dir_fd);
    if (from == NULL) {
        return -1;
    }
    struct mr_fake_node *parent = mr_fake_disk_find_parent(&fake->disk, from, path, name);
    if (parent == NULL) {
        return fail_with(ENOENT);
    }
    if (name[0] == '\0' || mr_fake_disk_lookup(parent, name) != NULL) {
        return fail_with(EEXIST);
    }
    (void)mr_fake_disk_create(&fake->disk, parent, name, true);
    return leave(verdict, 0);
}

static int fake_list_dir(const struct mr_env *env, int dir_fd, mr_env_entry_fn entry, void *context)
{
    struct mr_fake_env *fake = fake_of(env);
    if (enter(fake, MR_FAKE_LIST_DIR) != PROCEED) {
        return -1;
    }
    const struct mr_fake_node *dir = find_dir(fake, dir_fd);
    if (dir == NULL) {
        return -1;
    }
    /* A copy: the listener may unlink what it is shown. */
    const size_t count = dir->live_names.count;
    struct mr_fake_entry *entries = mr_memory_new(count, sizeof(*entries));
    if (count > 0) {
        memcpy(entries, dir->live_names.entries, count * sizeof(*entries));
    }
    for (size_t i = 0; i < count; i++) {
        if (!entry(context, entries[i].name)) {
            break;
        }
    }
    free(entries);
    return 0;
}

static int fake_open(const struct mr_env *env, int dir_fd, const char *path, int flags, mode_t mode)
{
    struct mr_fake_env *fake = fake_of(env);
    const enum verdict verdict = enter(fake, MR_FAKE_OPEN);
    char name[MR_FAKE_NAME_BYTES_MAX + 1];
    (void)mode;
    if (verdict == FAIL) {
        return -1;
    }
    struct mr_fake_node *from = find_dir(fake, dir_fd);
    if (from == NULL) {
        return -1;
    }
    struct mr_fake_node *parent = mr_fake_disk_find_parent(&fake->disk, from, path, name);
    if (parent == NULL) {
        return fail_with(ENOENT);
    }
    struct mr_fake_node *node = name[0] == '\0' ? parent : mr_fake_disk_lookup(parent, name);
    if (node == NULL && (flags & O_CREAT) == 0) {
        return fail_with(ENOENT);
    }
    if (node != NULL && (flags & O_CREAT) != 0 && (flags & O_EXCL) != 0) {
        return fail_with(EEXIST);
    }
    if (node != NULL && node->is_dir != ((flags & O_DIRECTORY) != 0) &&
        ((flags & O_ACCMODE) != O_RDONLY || !node->is_dir)) {
        return fail_with(node->is_dir ? EISDIR : ENOTDIR);
    }
    if (node == NULL) {
        node = mr_fake_disk_create(&fake->disk, parent, name, false);
    } else if ((flags & O_TRUNC) != 0 && node->live.length > 0) {
        mr_fake_disk_truncate(node, 0);
    }
    return verdict == DIE ? leave(verdict, 0) : open_descriptor(fake, node, flags & O_ACCMODE);
}

static int fake_close(const struct mr_env *env, int fd)
{
    struct mr_fake_env *fake = fake_of(env);
    const enum verdict verdict = enter(fake, MR_FAKE_CLOSE);
    const int sys_errno = errno;
    struct descriptor *descriptor = fake->is_dead ? NULL : find_descriptor(fake, fd);
    if (descriptor == NULL) {
        return -1;
    }
    /* A descriptor is gone even when close() fails. */
    MR_ASSERT(descriptor->node->open_count > 0);
    descriptor->node->open_count--;
    if (descriptor->node->lock_fd == fd) {
        descriptor->node->lock_fd = -1;
    }
    descriptor->node = NULL;
    errno = sys_errno;
    return verdict == PROCEED ? 0 : -1;
}

static int fake_rename(const struct mr_env *env, int dir_fd, const char *from, const char *to)
{
    struct mr_fake_env *fake = fake_of(env);
    const enum verdict verdict = enter(fake, MR_FAKE_RENAME);
    char old_name[MR_FAKE_NAME_BYTES_MAX + 1];
    char new_name[MR_FAKE_NAME_BYTES_MAX + 1];
    if (verdict == FAIL) {
        return -1;
    }
    struct mr_fake_node *dir = find_dir(fake, dir_fd);
    if (dir == NULL) {
        return -1;
    }
    struct mr_fake_node *parent = mr_fake_disk_find_parent(&fake->disk, dir, from, old_name);
    if (parent != mr_fake_disk_find_parent(&fake->disk, dir, to, new_name)) {
        return fail_with(EXDEV);
    }
    if (parent == NULL || mr_fake_disk_lookup(parent, old_name) == NULL) {
        return fail_with(ENOENT);
    }
    const struct mr_fake_node *target = mr_fake_disk_lookup(parent, new_name);
    if (target != NULL && target->is_dir) {
        return fail_with(EISDIR);
    }
    if (strcmp(old_name, new_name) != 0) {
        mr_fake_disk_rename(parent, old_name, new_name);
    }
    return leave(verdict, 0);
}

static int fake_unlink(const struct mr_env *env, int dir_fd, const char *path)
{
    struct mr_fake_env *fake = fake_of(env);
    const enum verdict verdict = enter(fake, MR_FAKE_UNLINK);
    char name[MR_FAKE_NAME_BYTES_MAX + 1];
    if (verdict == FAIL) {
        return -1;
    }
    struct mr_fake_node *from = find_dir(fake, dir_fd);
    if (from == NULL) {
        return -1;
    }
    struct mr_fake_node *parent = mr_fake_disk_find_parent(&fake->disk, from, path, name);
    const struct mr_fake_node *node = parent == NULL ? NULL : mr_fake_disk_lookup(parent, name);
    if (node == NULL || node->is_dir) {
        return fail_with(node == NULL ? ENOENT : EISDIR);
    }
    mr_fake_disk_unlink(parent, name);
    return leave(verdict, 0);
}

/* ---- Bytes. ---- */

static size_t shorten(struct mr_fake_env *fake, size_t length)
{
    return fake->has_short_io && length > 1
               ? 1 + (size_t)mr_fake_random_draw(&fake->decisions, length)
               : length;
}

static ssize_t fake_pread(const struct mr_env *env, int fd, void *bytes, size_t length,
                          int64_t offset)
{
    struct mr_fake_env *fake = fake_of(env);
    if (enter(fake, MR_FAKE_PREAD) != PROCEED) {
        return -1;
    }
    const struct mr_fake_node *file = find_file(fake, fd, O_RDONLY);
    if (file == NULL) {
        return -1;
    }
    if (offset < 0) {
        return fail_with(EINVAL);
    }
    const size_t at = (size_t)offset;
    if (at >= file->live.length || length == 0) {
        return 0;
    }
    const size_t left = file->live.length - at;
    const size_t count = shorten(fake, length < left ? length : left);
    memcpy(bytes, file->live.bytes + at, count);
    return (ssize_t)count;
}

/* How far the file may grow: its length, or more while there is space. */
static size_t length_max(const struct mr_fake_env *fake, const struct mr_fake_node *file)
{
    if (fake->space_bytes == UINT64_MAX) {
        return SIZE_MAX;
    }
    const uint64_t used = mr_fake_disk_used(&fake->disk);
    return file->live.length + (used < fake->space_bytes ? (size_t)(fake->space_bytes - used) : 0);
}

static ssize_t fake_pwrite(const struct mr_env *env, int fd, const void *bytes, size_t length,
                           int64_t offset)
{
    struct mr_fake_env *fake = fake_of(env);
    const enum verdict verdict = enter(fake, MR_FAKE_PWRITE);
    if (verdict == FAIL) {
        return -1;
    }
    struct mr_fake_node *file = find_file(fake, fd, O_WRONLY);
    if (file == NULL) {
        return -1;
    }
    if (offset < 0) {
        return fail_with(EINVAL);
    }
    const size_t at = (size_t)offset;
    const size_t end_max = length_max(fake, file);
    if (length > 0 && at >= end_max) {
        return fail_with(ENOSPC);
    }
    const size_t room = end_max - at;
    const size_t count = shorten(fake, length < room ? length : room);
    if (count > 0) {
        mr_fake_disk_write(file, bytes, count, at);
    }
    return verdict == DIE ? leave(verdict, 0) : (ssize_t)count;
}

static int sync_node(struct mr_fake_env *fake, int fd, enum mr_fake_call call)
{
    const uint64_t faults_before = fake->fault_count;
    const enum verdict verdict = enter(fake, call);
    const int sys_errno = errno;
    struct descriptor *descriptor =
        fake->is_dead && verdict == FAIL ? NULL : find_descriptor(fake, fd);
    if (descriptor == NULL) {
        return -1;
    }
    if (fake->fault_count != faults_before) {
        mr_fake_disk_sync_badly(descriptor->node, &fake->decisions);
        return fail_with(sys_errno);
    }
    mr_fake_disk_sync(descriptor->node);
    mr_fake_disk_collect(&fake->disk);
    return leave(verdict, 0);
}

static int fake_fdatasync(const struct mr_env *env, int fd)
{
    return sync_node(fake_of(env), fd, MR_FAKE_FDATASYNC);
}

static int fake_fsync(const struct mr_env *env, int fd)
{
    return sync_node(fake_of(env), fd, MR_FAKE_FSYNC);
}

static int fake_allocate(const struct mr_env *env, int fd, int64_t offset, int64_t length)
{
    struct mr_fake_env *fake = fake_of(env);
    const enum verdict verdict = enter(fake, MR_FAKE_ALLOCATE);
    if (verdict == FAIL) {
        return -1;
    }
    struct mr_fake_node *file = find_file(fake, fd, O_WRONLY);
    if (file == NULL) {
        return -1;
    }
    int64_t end;
    if (offset < 0 || length <= 0 || __builtin_add_overflow(offset, length, &end)) {
        return fail_with(EINVAL);
    }
    if ((size_t)end > file->live.length) {
        if ((size_t)end > length_max(fake, file)) {
            return fail_with(ENOSPC);
        }
        mr_fake_disk_allocate(file, (size_t)end);
    }
    return leave(verdict, 0);
}

static int fake_truncate(const struct mr_env *env, int fd, int64_t length)
{
    struct mr_fake_env *fake = fake_of(env);
    const enum verdict verdict = enter(fake, MR_FAKE_TRUNCATE);
    if (verdict == FAIL) {
        return -1;
    }
    struct mr_fake_node *file = find_file(fake, fd, O_WRONLY);
    if (file == NULL) {
        return -1;
    }
    if (length < 0) {
        return fail_with(EINVAL);
    }
    if ((size_t)length != file->live.length) {
        mr_fake_disk_truncate(file, (size_t)length);
    }
    return leave(verdict, 0);
}

static int fake_lock(const struct mr_env *env, int fd)
{
    struct mr_fake_env *fake = fake_of(env);
    if (enter(fake, MR_FAKE_LOCK) != PROCEED) {
        return -1;
    }
    struct descriptor *descriptor = find_descriptor(fake, fd);
    if (descriptor == NULL) {
        return -1;
    }
    if (descriptor->node->lock_fd != -1 && descriptor->node->lock_fd != fd) {
        return fail_with(EWOULDBLOCK);
    }
    descriptor->node->lock_fd = fd;
    return 0;
}

static int64_t fake_file_size(const struct mr_env *env, int fd)
{
    struct mr_fake_env *fake = fake_of(env);
    if (enter(fake, MR_FAKE_FILE_SIZE) != PROCEED) {
        return -1;
    }
    const struct descriptor *descriptor = find_descriptor(fake, fd);
    return descriptor == NULL ? -1 : (int64_t)descriptor->node->live.length;
}

static int64_t fake_free_bytes(const struct mr_env *env, int dir_fd)
{
    struct mr_fake_env *fake = fake_of(env);
    if (enter(fake, MR_FAKE_FREE_BYTES) != PROCEED || find_dir(fake, dir_fd) == NULL) {
        return -1;
    }
    const uint64_t used = mr_fake_disk_used(&fake->disk);
    const uint64_t left = used < fake->space_bytes ? fake->space_bytes - used : 0;
    return left > INT64_MAX ? INT64_MAX : (int64_t)left;
}

/* ---- Time and randomness. ---- */

static uint64_t fake_monotonic_ns(const struct mr_env *env)
{
    (void)enter(fake_of(env), MR_FAKE_MONOTONIC_NS);
    return fake_of(env)->now_ns;
}

static int64_t fake_unix_us(const struct mr_env *env)
{
    (void)enter(fake_of(env), MR_FAKE_UNIX_US);
    return fake_of(env)->unix_us;
}

static void fake_sleep_us(const struct mr_env *env, uint64_t us)
{
    (void)enter(fake_of(env), MR_FAKE_SLEEP_US);
    mr_fake_env_advance_us(fake_of(env), us);
}

static uint64_t fake_random(const struct mr_env *env)
{
    (void)enter(fake_of(env), MR_FAKE_RANDOM);
    return mr_fake_random_draw(&fake_of(env)->randomness, UINT64_MAX);
}

/* ---- What tests call. ---- */

static const struct mr_env fake_calls = {
    .open_dir = fake_open_dir,
    .make_dir = fake_make_dir,
    .list_dir = fake_list_dir,
    .open = fake_open,
    .close = fake_close,
    .pread = fake_pread,
    .pwrite = fake_pwrite,
    .fdatasync = fake_fdatasync,
    .fsync = fake_fsync,
    .allocate = fake_allocate,
    .truncate = fake_truncate,
    .rename = fake_rename,
    .unlink = fake_unlink,
    .lock = fake_lock,
    .file_size = fake_file_size,
    .free_bytes = fake_free_bytes,
    .monotonic_ns = fake_monotonic_ns,
    .unix_us = fake_unix_us,
    .sleep_us = fake_sleep_us,
    .random = fake_random,
};

struct mr_fake_env *mr_fake_env_open(uint64_t seed)
{
    struct mr_fake_env *fake = mr_memory_new(1, sizeof(*fake));
    fake->env = fake_calls;
    fake->env.state = fake;
    fake->decisions.state = seed;
    fake->randomness.state = ~seed;
    fake->first_fd = FIRST_FD;
    fake->dies_at = MR_FAKE_NEVER;
    fake->space_bytes = UINT64_MAX;
    fake->now_ns = START_NS;
    fake->unix_us = START_UNIX_US;
    mr_fake_disk_init(&fake->disk);
    return fake;
}

void mr_fake_env_close(struct mr_fake_env *fake)
{
    if (fake == NULL) {
        return;
    }
    mr_fake_disk_done(&fake->disk);
    free(fake->descriptors);
    free(fake);
}

const struct mr_env *mr_fake_env_as_env(struct mr_fake_env *fake)
{
    return &fake->env;
}

void mr_fake_env_crash(struct mr_fake_env *fake)
{
    mr_fake_disk_crash(&fake->disk, &fake->decisions);
    fake->first_fd += (int)fake->descriptor_count;
    fake->descriptor_count = 0;
    fake->is_dead = false;
    fake->dies_at = MR_FAKE_NEVER;
    mr_fake_env_heal(fake);
}

void mr_fake_env_crash_at(struct mr_fake_env *fake, uint64_t after)
{
    fake->dies_at = after == MR_FAKE_NEVER ? MR_FAKE_NEVER : fake->numbered_count + after;
}

bool mr_fake_env_is_dead(const struct mr_fake_env *fake)
{
    return fake->is_dead;
}

void mr_fake_env_sync_all(struct mr_fake_env *fake)
{
    mr_fake_disk_sync_all(&fake->disk);
}

void mr_fake_env_fail(struct mr_fake_env *fake, struct mr_fake_fault fault)
{
    fake->fault = fault;
    fake->has_fault = true;
    fake->fault_count = 0;
}

void mr_fake_env_heal(struct mr_fake_env *fake)
{
    fake->has_fault = false;
}

uint64_t mr_fake_env_fault_count(const struct mr_fake_env *fake)
{
    return fake->fault_count;
}

void mr_fake_env_set_space(struct mr_fake_env *fake, uint64_t bytes)
{
    fake->space_bytes = bytes;
}

void mr_fake_env_set_short_io(struct mr_fake_env *fake, bool on)
{
    fake->has_short_io = on;
}

void mr_fake_env_advance_us(struct mr_fake_env *fake, uint64_t us)
{
    fake->now_ns += us * 1000;
    fake->unix_us += (int64_t)us;
}

void mr_fake_env_set_unix_us(struct mr_fake_env *fake, int64_t unix_us)
{
    fake->unix_us = unix_us;
}

void mr_fake_env_set_tick_us(struct mr_fake_env *fake, uint64_t us)
{
    fake->tick_us = us;
}

uint64_t mr_fake_env_call_count(const struct mr_fake_env *fake, enum mr_fake_call call)
{
    return call == MR_FAKE_ANY_CALL ? fake->numbered_count : fake->counts[call];
}

uint64_t mr_fake_env_misuse_count(const struct mr_fake_env *fake)
{
    return fake->misuse_count;
}

uint64_t mr_fake_env_open_count(const struct mr_fake_env *fake)
{
    uint64_t count = 0;
    for (size_t i = 0; i < fake->descriptor_count; i++) {
        count += fake->descriptors[i].node != NULL ? 1 : 0;
    }
    return count;
}

static struct mr_fake_node *find_path(const struct mr_fake_env *fake, const char *path)
{
    struct mr_fake_disk disk = fake->disk;
    struct mr_fake_node *node = mr_fake_disk_find(&disk, disk.root, path);
    return node == NULL || node->is_dir ? NULL : node;
}

bool mr_fake_env_peek(const struct mr_fake_env *fake, const char *path, const uint8_t **bytes,
                      size_t *length)
{
    const struct mr_fake_node *node = find_path(fake, path);
    if (node == NULL) {
        return false;
    }
    *bytes = node->live.bytes;
    *length = node->live.length;
    return true;
}

bool mr_fake_env_peek_durable(const struct mr_fake_env *fake, const char *path,
                              const uint8_t **bytes, size_t *length)
{
    const struct mr_fake_node *node = find_path(fake, path);
    if (node == NULL) {
        return false;
    }
    *bytes = node->durable.bytes;
    *length = node->durable.length;
    return true;
}

bool mr_fake_env_poke(struct mr_fake_env *fake, const char *path, size_t offset, uint8_t byte)
{
    struct mr_fake_node *node = find_path(fake, path);
    if (node == NULL || offset >= node->live.length) {
        return false;
    }
    mr_fake_disk_write(node, &byte, 1, offset);
    mr_fake_disk_sync(node);
    return true;
}

void mr_fake_env_put(struct mr_fake_env *fake, const char *path, const void *bytes, size_t length)
{
    struct mr_fake_node *dir = fake->disk.root;
    char name[MR_FAKE_NAME_BYTES_MAX + 1];
    path += strspn(path, "/");
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(path, '/')) {
        MR_ASSERT((size_t)(slash - path) < sizeof(name));
        memcpy(name, path, (size_t)(slash - path));
        name[slash - path] = '\0';
        struct mr_fake_node *next = mr_fake_disk_lookup(dir, name);
        if (next == NULL) {
            next = mr_fake_disk_create(&fake->disk, dir, name, true);
            mr_fake_disk_sync(dir);
        }
        dir = next;
        path = slash + 1;
    }
    struct mr_fake_node *file = mr_fake_disk_lookup(dir, path);
    if (file == NULL) {
        file = mr_fake_disk_create(&fake->disk, dir, path, false);
        mr_fake_disk_sync(dir);
    }
    mr_fake_disk_truncate(file, 0);
    if (length > 0) {
        mr_fake_disk_write(file, bytes, length, 0);
    }
    mr_fake_disk_sync(file);
}

uint64_t mr_fake_env_draw(struct mr_fake_env *fake, uint64_t below)
{
    return mr_fake_random_draw(&fake->decisions, below);
}
