// SPDX-License-Identifier: MIT
/*
 * crc32c.h - the checksum of the stream log (Castagnoli polynomial, as in iSCSI, RFC 3720 B.4), and
 * CRC-32 (zlib's polynomial) for MySQL binlog events.
 */
#ifndef MR_BASE_CRC32C_H
#define MR_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/** Continues a CRC32C; start with crc = 0. Uses the processor's instruction where it has one. */
uint32_t mr_crc32c(uint32_t crc, const void *bytes, size_t length);

/** As mr_crc32c(), by tables alone: what processors without the instruction run. */
uint32_t mr_crc32c_portable(uint32_t crc, const void *bytes, size_t length);

/** Continues a zlib CRC-32; start with crc = 0. */
uint32_t mr_crc32(uint32_t crc, const void *bytes, size_t length);

#endif
