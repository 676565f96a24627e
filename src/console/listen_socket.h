// SPDX-License-Identifier: MIT
/*
 * listen_socket.h - a listening socket, made here so that "address in use" has a clear message.
 */
#ifndef MR_CONSOLE_LISTEN_SOCKET_H
#define MR_CONSOLE_LISTEN_SOCKET_H

#include <stdint.h>

#include "error.h"
#include "listen_address.h"

/** Returns the socket and its port, or -1 with MR_E_IO: address in use, or not this machine's. */
int mr_listen_socket_open(const struct mr_listen_address *address, uint16_t *port,
                          struct mr_error *err);

#endif
