// SPDX-License-Identifier: MIT
/*
 * listen_socket.c - see listen_socket.h.
 */
#include "listen_socket.h"

#include <unistd.h>

#define BACKLOG 128 /* connections that wait to be accepted */

int mr_listen_socket_open(const struct mr_listen_address *address, uint16_t *port,
                          struct mr_error *err)
{
    const int family = address->socket.any.sa_family;
    const socklen_t size =
        family == AF_INET6 ? sizeof(address->socket.v6) : sizeof(address->socket.v4);
    struct mr_listen_address bound = {.is_loopback = false};
    socklen_t bound_size = sizeof(bound.socket);
    const int yes = 1;
    bool opened = false;
    const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    MR_ASSERT(family == AF_INET || family == AF_INET6);
    if (fd < 0) {
        mr_fail_errno(err, "socket");
        goto out;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
        bind(fd, &address->socket.any, size) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, &bound.socket.any, &bound_size) != 0) {
        mr_fail_errno(err, "bind");
        goto out;
    }
    *port = ntohs(family == AF_INET6 ? bound.socket.v6.sin6_port : bound.socket.v4.sin_port);
    opened = true;

out:
    if (!opened && fd >= 0) {
        (void)close(fd);
    }
    return opened ? fd : -1;
}
