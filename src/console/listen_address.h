// SPDX-License-Identifier: MIT
/*
 * listen_address.h - "address:port" as a socket address. Only numeric addresses and "localhost":
 * what a name resolves to may change, and then who can reach the console would change unseen.
 */
#ifndef MR_CONSOLE_LISTEN_ADDRESS_H
#define MR_CONSOLE_LISTEN_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "compiler.h"
#include "error.h"

struct mr_listen_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } socket;
    bool is_loopback;
};

/** Parses "127.0.0.1:8989", "[::1]:8989" or "localhost:8989". MR_E_CONFIG otherwise. */
bool mr_listen_address_parse(const char *text, struct mr_listen_address *address,
                             struct mr_error *err) MR_MUST_CHECK;

/** Whether a Host header names an IP address or "localhost", with or without a port. */
bool mr_listen_address_is_host_numeric(const char *host);

#endif
