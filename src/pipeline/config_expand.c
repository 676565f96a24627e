// SPDX-License-Identifier: MIT
/*
 * config_expand.c - see config_expand.h.
 */
#include "config_expand.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "writer.h"

#define FILE_PREFIX         "file:"
#define REFERENCE_BYTES_MAX 256 /* bytes between the braces */

static bool is_name(const char *name)
{
    const char *const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    const char *const more = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

    return name[0] != '\0' && strchr(letters, name[0]) != NULL &&
           strspn(name, more) == strlen(name);
}

static bool put_variable(const char *name, const struct mr_config_surroundings *around,
                         struct mr_writer *out, struct mr_error *err)
{
    MR_ASSERT(around->variable != NULL);

    if (!is_name(name)) {
        return mr_fail(
            err, MR_E_CONFIG, MR_STOP,
            "\"${%s}\" is not a reference; write ${NAME} or ${file:/path}, and $${ for a "
            "plain ${",
            name);
    }
    const char *value = around->variable(name);
    if (value == NULL) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "environment variable \"%s\" is not set; set it before starting", name);
    }
    mr_write_bytes(out, value, strlen(value));
    return true;
}

static bool put_file(const char *path, const struct mr_config_surroundings *around,
                     struct mr_writer *out, struct mr_error *err)
{
    MR_ASSERT(around->env != NULL);

    const struct mr_env *env = around->env;
    bool done = false;
    size_t count = 0;
    char *bytes = NULL;
    const int fd = env->open(env, MR_ENV_CWD, path, O_RDONLY | O_CLOEXEC, 0);

    if (fd < 0) {
        mr_fail_errno(err, "read \"%s\"", path);
        goto out;
    }
    bytes = mr_memory_new(1, MR_EXPAND_FILE_BYTES_MAX + 1);
    if (!mr_env_read_fully(env, fd, bytes, MR_EXPAND_FILE_BYTES_MAX + 1, 0, &count, err)) {
        mr_error_context(err, "read \"%s\"", path);
        goto out;
    }
    if (count > MR_EXPAND_FILE_BYTES_MAX) {
        mr_fail(err, MR_E_CONFIG, MR_STOP, "\"%s\" is larger than 64 KiB", path);
        goto out;
    }
    if (memchr(bytes, '\0', count) != NULL) {
        mr_fail(err, MR_E_CONFIG, MR_STOP, "\"%s\" holds a zero byte", path);
        goto out;
    }
    if (count > 0 && bytes[count - 1] == '\n') {
        count--;
        count -= count > 0 && bytes[count - 1] == '\r';
    }
    mr_write_bytes(out, bytes, count);
    done = true;

out:
    free(bytes);
    if (fd >= 0) {
        (void)env->close(env, fd);
    }
    if (!done) {
        err->code = MR_E_CONFIG;
        err->recovery = MR_STOP;
    }
    return done;
}

/* *at stands on "${"; moves it behind the closing brace. */
static bool put_reference(const char **at, const struct mr_config_surroundings *around,
                          struct mr_writer *out, struct mr_error *err)
{
    MR_ASSERT(strncmp(*at, "${", 2) == 0);

    char name[REFERENCE_BYTES_MAX + 1];
    const char *start = *at + 2;
    const char *end = strchr(start, '}');

    if (end == NULL) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "\"${\" without a closing brace");
    }
    if ((size_t)(end - start) > REFERENCE_BYTES_MAX) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "the name after \"${\" is too long");
    }
    memcpy(name, start, (size_t)(end - start));
    name[end - start] = '\0';
    *at = end + 1;
    if (strncmp(name, FILE_PREFIX, strlen(FILE_PREFIX)) == 0) {
        return put_file(name + strlen(FILE_PREFIX), around, out, err);
    }
    return put_variable(name, around, out, err);
}

bool mr_config_expand(const char *text, const struct mr_config_surroundings *around,
                      struct mr_option_memory *memory, const char **expanded, bool *is_replaced,
                      struct mr_error *err)
{
    MR_ASSERT(text != NULL && around->variable != NULL);

    struct mr_writer out;
    bool done = false;
    bool replaced = false;

    mr_writer_init(&out, MR_EXPAND_VALUE_BYTES_MAX);
    for (const char *at = text; *at != '\0';) {
        if (strncmp(at, "$${", 3) == 0) {
            mr_write_bytes(&out, "${", 2);
            at += 3;
        } else if (strncmp(at, "${", 2) == 0) {
            replaced = true;
            if (!put_reference(&at, around, &out, err)) {
                goto out;
            }
        } else {
            mr_write_u8(&out, (uint8_t)*at++);
        }
    }
    mr_write_u8(&out, '\0');
    if (out.failed) {
        mr_fail(err, MR_E_CONFIG, MR_STOP, "the value is longer than 256 KiB");
        goto out;
    }
    *expanded = mr_options_keep(memory, (const char *)out.bytes);
    *is_replaced = replaced;
    done = true;

out:
    mr_writer_done(&out);
    return done;
}
