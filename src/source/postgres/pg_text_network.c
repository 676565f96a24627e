// SPDX-License-Identifier: MIT
/*
 * pg_text_network.c - network addresses as the server prints them.
 *
 *   inet, cidr := u8 family (2: IPv4, 3: IPv6), u8 bits, u8 is_cidr, u8 byte_count, bytes
 *
 * An inet shows its bits only where they are not all; a cidr always does.
 *
 * Source: PostgreSQL, src/backend/utils/adt/network.c and src/port/inet_net_ntop.c, whose choice of
 * what "::" stands for and when IPv4 is embedded is followed to the letter.
 */
#include "pg_text.h"
#include "reader.h"

#define FAMILY_IPV4 2
#define FAMILY_IPV6 3
#define IPV4_BYTES  4
#define IPV6_WORDS  8

/* A run of zero words; length 0: none. */
struct run {
    int first;
    int length;
};

/* The longest run of zero words, the first of equals; a single one does not count. */
static struct run find_zeros(const unsigned words[IPV6_WORDS])
{
    struct run best = {0};
    struct run current = {0};
    for (int i = 0; i < IPV6_WORDS; i++) {
        if (words[i] != 0) {
            current.length = 0;
            continue;
        }
        current.first = current.length == 0 ? i : current.first;
        current.length++;
        if (current.length > best.length) {
            best = current;
        }
    }
    return best.length < 2 ? (struct run){0} : best;
}

static void print_ipv4(struct mr_pg_out *out, const uint8_t *bytes)
{
    mr_pg_out_format(out, "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
}

static void print_ipv6(struct mr_pg_out *out, const uint8_t *bytes)
{
    unsigned words[IPV6_WORDS];
    const uint8_t *pair = bytes;
    for (int i = 0; i < IPV6_WORDS; i++, pair += 2) {
        words[i] = (unsigned)pair[0] << 8 | pair[1];
    }
    const struct run zeros = find_zeros(words);
    for (int i = 0; i < IPV6_WORDS; i++) {
        if (zeros.length > 0 && i >= zeros.first && i < zeros.first + zeros.length) {
            mr_pg_out_text(out, i == zeros.first ? ":" : "");
            continue;
        }
        mr_pg_out_text(out, i == 0 ? "" : ":");
        if (i == 6 && zeros.first == 0 &&
            (zeros.length == 6 || (zeros.length == 7 && words[7] != 1) ||
             (zeros.length == 5 && words[5] == 0xffff))) {
            print_ipv4(out, bytes + 12);
            return;
        }
        mr_pg_out_format(out, "%x", words[i]);
    }
    if (zeros.length > 0 && zeros.first + zeros.length == IPV6_WORDS) {
        mr_pg_out_char(out, ':');
    }
}

enum mr_pg_put mr_pg_print_inet(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire)
{
    struct mr_reader in = mr_reader_init(wire.bytes, wire.length);
    const uint8_t family = mr_read_u8(&in);
    const uint8_t bits = mr_read_u8(&in);
    const uint8_t is_cidr = mr_read_u8(&in);
    const uint8_t count = mr_read_u8(&in);
    const unsigned expected = family == FAMILY_IPV4 ? IPV4_BYTES : 2 * IPV6_WORDS;
    (void)scale;
    if (!mr_reader_ok(&in) || (family != FAMILY_IPV4 && family != FAMILY_IPV6) || is_cidr > 1 ||
        count != expected || bits > expected * 8 || mr_reader_left(&in) != count) {
        return MR_PG_PUT_MALFORMED;
    }
    const uint8_t *bytes = mr_read_bytes(&in, count);
    if (family == FAMILY_IPV4) {
        print_ipv4(out, bytes);
    } else {
        print_ipv6(out, bytes);
    }
    if (is_cidr != 0 || bits < expected * 8) {
        mr_pg_out_format(out, "/%u", bits);
    }
    return MR_PG_PUT_OK;
}

static enum mr_pg_put print_mac(struct mr_pg_out *out, struct mr_slice wire, size_t count)
{
    if (wire.length != count) {
        return MR_PG_PUT_MALFORMED;
    }
    for (size_t i = 0; i < count; i++) {
        mr_pg_out_format(out, i == 0 ? "%02x" : ":%02x", wire.bytes[i]);
    }
    return MR_PG_PUT_OK;
}

enum mr_pg_put mr_pg_print_macaddr(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire)
{
    (void)scale;
    return print_mac(out, wire, 6);
}

enum mr_pg_put mr_pg_print_macaddr8(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire)
{
    (void)scale;
    return print_mac(out, wire, 8);
}
