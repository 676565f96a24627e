// SPDX-License-Identifier: MIT
/*
 * http_client.h - bytes to and from the server under test, over a real socket. No HTTP client: the
 * tests want to send what no client would.
 */
#ifndef MR_TESTS_CONSOLE_HTTP_CLIENT_H
#define MR_TESTS_CONSOLE_HTTP_CLIENT_H

#include <stddef.h>
#include <stdint.h>

/** A connected socket; fails the test when there is none. */
int client_connect(uint16_t port);

/** Sends all bytes; stops quietly when the server has closed. */
void client_send(int fd, const char *bytes, size_t length);

/** Reads until `count` answers are complete, the server closes, or wait_ms are over;
 * NUL-terminated. */
size_t client_receive(int fd, char *buffer, size_t size, int wait_ms, unsigned count);

/** One request on a connection of its own, with "Connection: close" left to the caller. */
size_t client_exchange(uint16_t port, const char *request, char *buffer, size_t size);

/** The status of the first answer in a buffer; 0 when there is none. */
unsigned client_status(const char *answer);

/** The body of the first answer: behind the empty line; "" when there is none. */
const char *client_body(const char *answer);

#endif
