// SPDX-License-Identifier: MIT
/*
 * fake_env.h - an operating system in memory: a struct mr_env for the simulation, fault walks and
 * crash tests. Everything it decides is drawn from one seed, so a run replays exactly.
 *
 * THE DISK keeps what was written and what is durable apart.
 *   - A file's writes, truncations and allocations are durable once fdatasync() or fsync() of the
 *     file succeeded. Names (create, rename, unlink, make_dir) are durable once fsync() of their
 *     directory succeeded: syncing a file does not keep its name.
 *   - At a crash each operation that was not durable is kept, lost or torn (512-byte sectors of a
 *     write survive one by one; the file may have its new length and zeros where data is missing).
 *     Names keep the order of what happened to one file; a rename is kept or lost as a whole.
 *   - A sync that fails by injection drops a part of what was not durable for good: a second sync
 *     may succeed and that part is lost at the next crash all the same, as on Linux. Reading shows
 *     it until then.
 *   - Locks and descriptors end at a crash.
 *
 * THE PROCESS dies at a chosen call (mr_fake_env_crash_at()): that call may or may not have its
 * effect and fails; every later call fails with EIO and has none, so that the code under test can
 * run its clean-up without touching the disk. Then mr_fake_env_crash() brings the machine up again.
 *
 * TIME moves only by sleep_us(), mr_fake_env_advance_us() and `tick_us` a call.
 *
 *   struct mr_fake_env *fake = mr_fake_env_open(seed);
 *   const struct mr_env *env = mr_fake_env_as_env(fake);
 *   int dir_fd = env->open_dir(env, MR_ENV_CWD, "/");       // the root exists and is durable
 *   mr_fake_env_crash_at(fake, 17);                         // the 18th call from here
 *   ... run until something fails; close everything ...
 *   mr_fake_env_crash(fake);                                // power loss; now open it again
 *
 * Paths may have several components; "/" and MR_ENV_CWD are the root. One thread at a time. Misuse
 * by the code under test (a descriptor that is not open) fails with EBADF and is counted in
 * mr_fake_env_misuse_count(), which tests should see at 0; after a crash it is not counted.
 */
#ifndef MR_TESTS_SUPPORT_FAKE_ENV_H
#define MR_TESTS_SUPPORT_FAKE_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "env.h"

/** Every call of struct mr_env. Those from MONOTONIC_NS on cannot fail and are not numbered. */
enum mr_fake_call {
    MR_FAKE_OPEN_DIR,
    MR_FAKE_MAKE_DIR,
    MR_FAKE_LIST_DIR,
    MR_FAKE_OPEN,
    MR_FAKE_CLOSE,
    MR_FAKE_PREAD,
    MR_FAKE_PWRITE,
    MR_FAKE_FDATASYNC,
    MR_FAKE_FSYNC,
    MR_FAKE_ALLOCATE,
    MR_FAKE_TRUNCATE,
    MR_FAKE_RENAME,
    MR_FAKE_UNLINK,
    MR_FAKE_LOCK,
    MR_FAKE_FILE_SIZE,
    MR_FAKE_FREE_BYTES,
    MR_FAKE_MONOTONIC_NS,
    MR_FAKE_UNIX_US,
    MR_FAKE_SLEEP_US,
    MR_FAKE_RANDOM,
    MR_FAKE_CALL_COUNT,
};

#define MR_FAKE_ANY_CALL MR_FAKE_CALL_COUNT
#define MR_FAKE_NEVER    UINT64_MAX

struct mr_fake_env;

/** An empty disk without limit, all clocks at a fixed start. Aborts when libc has no memory. */
struct mr_fake_env *mr_fake_env_open(uint64_t seed);
void mr_fake_env_close(struct mr_fake_env *fake); /* accepts NULL */

/** The env to hand to the code under test; valid until close. */
const struct mr_env *mr_fake_env_as_env(struct mr_fake_env *fake);

/* ---- Crashes. ---- */

/** Power loss and restart, now: see THE DISK. Faults and a pending crash are taken back. */
void mr_fake_env_crash(struct mr_fake_env *fake);

/** The process dies in call number `after` from now (0: the next). MR_FAKE_NEVER takes it back. */
void mr_fake_env_crash_at(struct mr_fake_env *fake, uint64_t after);

/** True from the call in which the process died until mr_fake_env_crash(). */
bool mr_fake_env_is_dead(const struct mr_fake_env *fake);

/** Makes all that is written durable, names too: the end of a test's set-up. */
void mr_fake_env_sync_all(struct mr_fake_env *fake);

/* ---- Faults. ---- */

/** Which calls fail. A call that fails by injection has no effect, but see close and sync above. */
struct mr_fake_fault {
    enum mr_fake_call call; /* of this kind, or MR_FAKE_ANY_CALL */
    uint64_t after;         /* the fault hits number `after` of them from now (0: the next) */
    bool for_good;          /* and all that follow */
    int sys_errno;          /* 0 stands for EIO */
};

/** Arms one fault; replaces the one before. */
void mr_fake_env_fail(struct mr_fake_env *fake, struct mr_fake_fault fault);
void mr_fake_env_heal(struct mr_fake_env *fake);

/** How often the armed fault has hit. A walk ends when a run has met no fault. */
uint64_t mr_fake_env_fault_count(const struct mr_fake_env *fake);

/** Bytes that files may take in all (their lengths, allocations included). UINT64_MAX: no limit. */
void mr_fake_env_set_space(struct mr_fake_env *fake, uint64_t bytes);

/** Reads and writes then move a part of what was asked for, at least one byte. */
void mr_fake_env_set_short_io(struct mr_fake_env *fake, bool on);

/* ---- Time. ---- */

void mr_fake_env_advance_us(struct mr_fake_env *fake, uint64_t us); /* both clocks */
void mr_fake_env_set_unix_us(struct mr_fake_env *fake, int64_t unix_us);
void mr_fake_env_set_tick_us(struct mr_fake_env *fake, uint64_t us); /* both clocks, every call */

/* ---- Looking and meddling. ---- */

/** Calls so far: of one kind, or all numbered ones for MR_FAKE_ANY_CALL. */
uint64_t mr_fake_env_call_count(const struct mr_fake_env *fake, enum mr_fake_call call);
uint64_t mr_fake_env_misuse_count(const struct mr_fake_env *fake);

/** Descriptors and locks that are held: leaks, once everything was closed. */
uint64_t mr_fake_env_open_count(const struct mr_fake_env *fake);

/** A file's bytes as a reader sees them; false when there is none. Valid until the next call. */
bool mr_fake_env_peek(const struct mr_fake_env *fake, const char *path, const uint8_t **bytes,
                      size_t *length);

/** As peek, but only what is durable of the file (its name may not be). */
bool mr_fake_env_peek_durable(const struct mr_fake_env *fake, const char *path,
                              const uint8_t **bytes, size_t *length);

/** Overwrites one byte, durably: a disk that rots. False when there is no such byte. */
bool mr_fake_env_poke(struct mr_fake_env *fake, const char *path, size_t offset, uint8_t byte);

/** Makes or replaces a file, durably, with its directories. */
void mr_fake_env_put(struct mr_fake_env *fake, const char *path, const void *bytes, size_t length);

/** The seeded generator that tests may share, so that a seed fixes the whole run. */
uint64_t mr_fake_env_draw(struct mr_fake_env *fake, uint64_t below);

#endif
