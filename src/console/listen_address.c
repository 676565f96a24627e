// SPDX-License-Identifier: MIT
/*
 * listen_address.c - see listen_address.h.
 */
#include "listen_address.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HOST_BYTES_MAX 64
#define PORT_DIGITS    5

/* Splits "host:port", "[host]:port"; the port may be absent. False when it has neither form. */
static bool split(const char *text, char host[HOST_BYTES_MAX], const char **port)
{
    const char *start = text;
    size_t length;

    if (text[0] == '[') {
        const char *end = strchr(text, ']');
        if (end == NULL || (end[1] != '\0' && end[1] != ':')) {
            return false;
        }
        start = text + 1;
        length = (size_t)(end - start);
        *port = end[1] == ':' ? end + 2 : NULL;
    } else {
        const char *colon = strchr(text, ':');
        length = colon != NULL ? (size_t)(colon - text) : strlen(text);
        *port = colon != NULL ? colon + 1 : NULL;
    }
    if (length == 0 || length >= HOST_BYTES_MAX) {
        return false;
    }
    memcpy(host, start, length);
    host[length] = '\0';
    return true;
}

static bool parse_port(const char *text, uint16_t *port)
{
    const size_t length = strlen(text);

    if (length == 0 || length > PORT_DIGITS || strspn(text, "0123456789") != length) {
        return false;
    }
    const unsigned long number = strtoul(text, NULL, 10);
    if (number > UINT16_MAX) {
        return false;
    }
    *port = (uint16_t)number;
    return true;
}

static bool set_host(const char *host, bool in_brackets, struct mr_listen_address *address)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (!in_brackets && inet_pton(AF_INET, host, &v4) == 1) {
        address->socket.v4.sin_family = AF_INET;
        address->socket.v4.sin_addr = v4;
        address->is_loopback = ntohl(v4.s_addr) >> 24 == 127;
        return true;
    }
    if (in_brackets && inet_pton(AF_INET6, host, &v6) == 1) {
        address->socket.v6.sin6_family = AF_INET6;
        address->socket.v6.sin6_addr = v6;
        address->is_loopback = IN6_IS_ADDR_LOOPBACK(&v6) != 0;
        return true;
    }
    return false;
}

bool mr_listen_address_parse(const char *text, struct mr_listen_address *address,
                             struct mr_error *err)
{
    char host[HOST_BYTES_MAX];
    const char *port_text = NULL;
    uint16_t port = 0;
    struct mr_listen_address parsed = {.is_loopback = false};

    MR_ASSERT(text != NULL);
    if (!split(text, host, &port_text) || port_text == NULL || !parse_port(port_text, &port) ||
        !set_host(strcasecmp(host, "localhost") == 0 ? "127.0.0.1" : host, text[0] == '[',
                  &parsed)) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "cannot listen on \"%s\"; write a numeric address and a port, such as "
                       "127.0.0.1:8989 or [::1]:8989",
                       text);
    }
    if (parsed.socket.any.sa_family == AF_INET6) {
        parsed.socket.v6.sin6_port = htons(port);
    } else {
        parsed.socket.v4.sin_port = htons(port);
    }
    *address = parsed;
    return true;
}

bool mr_listen_address_is_host_numeric(const char *host)
{
    char name[HOST_BYTES_MAX];
    const char *port_text = NULL;
    uint16_t port = 0;
    struct mr_listen_address ignored;

    MR_ASSERT(host != NULL);
    if (!split(host, name, &port_text) || (port_text != NULL && !parse_port(port_text, &port))) {
        return false;
    }
    return strcasecmp(name, "localhost") == 0 || set_host(name, host[0] == '[', &ignored);
}
