// SPDX-License-Identifier: MIT
/*
 * findings.c - the list a preflight fills.
 */
#include "source.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"

#define FINDINGS_MIN 64

void mr_findings_add(struct mr_findings *findings, int level, const char *what, const char *format,
                     ...)
{
    if (findings->count == MR_FINDINGS_MAX) {
        struct mr_finding *last = &findings->items[MR_FINDINGS_MAX - 1];
        last->level = MR_FINDING_WARNING;
        (void)snprintf(last->what, sizeof(last->what), "findings");
        (void)snprintf(last->detail, sizeof(last->detail),
                       "there are more than %d; what comes after them is left out",
                       MR_FINDINGS_MAX);
        return;
    }
    if (findings->count == findings->capacity) {
        findings->capacity = findings->capacity == 0 ? FINDINGS_MIN : findings->capacity * 2;
        findings->items =
            mr_memory_resize(findings->items, findings->capacity, sizeof(*findings->items));
    }
    struct mr_finding *finding = &findings->items[findings->count++];
    *finding = (struct mr_finding){.level = (unsigned)level}; /* grown memory is not zeroed */
    (void)snprintf(finding->what, sizeof(finding->what), "%s", what);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(finding->detail, sizeof(finding->detail), format, arguments);
    va_end(arguments);
}

const char *mr_finding_cure(const struct mr_finding *finding)
{
    static const char *const marks[] = {"run: ", "run as that role or as a superuser: ", "run "};
    for (size_t i = 0; i < MR_ARRAY_LEN(marks); i++) {
        const char *found = strstr(finding->detail, marks[i]);
        if (found != NULL && (found == finding->detail || found[-1] == ' ')) {
            return found + strlen(marks[i]);
        }
    }
    return NULL;
}
