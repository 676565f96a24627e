// SPDX-License-Identifier: MIT
/*
 * http_client.c - see http_client.h.
 */
#include "http_client.h"

#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MS_MAX 5000

int client_connect(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

void client_send(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        const ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        bytes += sent;
        length -= (size_t)sent;
    }
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Complete answers at the start of a buffer, by Content-Length. */
static unsigned count_answers(const char *buffer)
{
    unsigned count = 0;

    for (const char *at = buffer;;) {
        const char *end = strstr(at, "\r\n\r\n");
        const char *length = strcasestr(at, "\r\nContent-Length:");
        if (end == NULL || length == NULL || length > end) {
            return count;
        }
        const size_t body = strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
        if (strlen(end + 4) < body) {
            return count;
        }
        at = end + 4 + body;
        count++;
    }
}

size_t client_receive(int fd, char *buffer, size_t size, int wait_ms, unsigned count)
{
    const int64_t until_ms = now_ms() + wait_ms;
    size_t used = 0;

    buffer[0] = '\0';
    while (used + 1 < size && count_answers(buffer) < count) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        const int64_t left_ms = until_ms - now_ms();
        if (left_ms <= 0 || poll(&poll_fd, 1, (int)left_ms) <= 0) {
            break;
        }
        const ssize_t got = recv(fd, buffer + used, size - used - 1, 0);
        if (got <= 0) {
            break;
        }
        used += (size_t)got;
        buffer[used] = '\0';
    }
    return used;
}

size_t client_exchange(uint16_t port, const char *request, char *buffer, size_t size)
{
    const int fd = client_connect(port);

    client_send(fd, request, strlen(request));
    const size_t used = client_receive(fd, buffer, size, ANSWER_MS_MAX, 1);
    (void)close(fd);
    return used;
}

unsigned client_status(const char *answer)
{
    return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? (unsigned)strtoul(answer + 9, NULL, 10) : 0;
}

const char *client_body(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");
    return end != NULL ? end + 4 : "";
}
