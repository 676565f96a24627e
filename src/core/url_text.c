// SPDX-License-Identifier: MIT
/*
 * url_text.c - see url_text.h.
 */
#include "url_text.h"

#include <stddef.h>

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    const char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool mr_url_decode(char *text)
{
    MR_ASSERT(text != NULL);
    char *to = text;
    for (const char *from = text; *from != '\0'; from++, to++) {
        *to = *from;
        if (*from == '%') {
            const int high = hex_digit(from[1]);
            const int low = high < 0 ? -1 : hex_digit(from[2]);
            if (low < 0 || (high == 0 && low == 0)) {
                return false;
            }
            *to = (char)(high * 16 + low);
            from += 2;
        }
    }
    *to = '\0';
    return true;
}

bool mr_url_parse_port(const char *text, unsigned *port)
{
    MR_ASSERT(text != NULL && port != NULL);
    unsigned value = 0;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c < '0' || *c > '9' || value > MR_URL_PORT_MAX) {
            return false;
        }
        value = value * 10 + (unsigned)(*c - '0');
    }
    if (value == 0 || value > MR_URL_PORT_MAX) {
        return false;
    }
    *port = value;
    return true;
}
