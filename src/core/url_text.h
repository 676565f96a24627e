// SPDX-License-Identifier: MIT
/*
 * url_text.h - the parts of a source's URL that every kind of server writes alike.
 */
#ifndef MR_CORE_URL_TEXT_H
#define MR_CORE_URL_TEXT_H

#include <stdbool.h>

#include "compiler.h"

#define MR_URL_PORT_MAX 65535

/** Undoes percent encoding in place; false for a NUL byte or a broken escape. RFC 3986, 2.1. */
bool mr_url_decode(char *text) MR_MUST_CHECK;

/** Reads a port of decimal digits, 1 to MR_URL_PORT_MAX; *port is untouched on failure. */
bool mr_url_parse_port(const char *text, unsigned *port) MR_MUST_CHECK;

#endif
