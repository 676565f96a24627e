// SPDX-License-Identifier: MIT
/*
 * pg_doctor.h - what the preflight says beyond what stops it: each table of the database, and how
 * long the slot's log lasts.
 */
#ifndef MR_SOURCE_POSTGRES_PG_DOCTOR_H
#define MR_SOURCE_POSTGRES_PG_DOCTOR_H

#include "pg_connection.h"
#include "source.h"
#include "table_filter.h"

/** A finding for every table, view and partition: captured or not, and why. */
bool mr_pg_doctor_tables(struct mr_pg_connection *connection, const struct mr_table_filter *filter,
                         const char *publication, struct mr_findings *findings,
                         struct mr_error *err) MR_MUST_CHECK;

/** How much log the slot holds, how much it may hold, and how long that lasts. */
bool mr_pg_doctor_slot(struct mr_pg_connection *connection, const char *slot,
                       struct mr_findings *findings, struct mr_error *err) MR_MUST_CHECK;

#endif
