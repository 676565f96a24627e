// SPDX-License-Identifier: MIT
/*
 * postgres_source.h - what the rest of the program sees of this folder.
 */
#ifndef MR_SOURCE_POSTGRES_POSTGRES_SOURCE_H
#define MR_SOURCE_POSTGRES_POSTGRES_SOURCE_H

#include "source.h"

extern const struct mr_source_ops mr_source_postgres;

#endif
