// SPDX-License-Identifier: MIT
/*
 * findings.c - the list a preflight fills.
 */
#include "source.h"

#include <stdarg.h>
#include <stdio.h>

void mr_findings_add(struct mr_findings *findings, int level, const char *what, const char *format,
                     ...)
{
    if (findings->count == MR_FINDINGS_MAX) {
        return;
    }
    struct mr_finding *finding = &findings->items[findings->count++];
    finding->level = (unsigned)level;
    (void)snprintf(finding->what, sizeof(finding->what), "%s", what);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(finding->detail, sizeof(finding->detail), format, arguments);
    va_end(arguments);
}
