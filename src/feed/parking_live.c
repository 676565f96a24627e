// SPDX-License-Identifier: MIT
/*
 * parking_live.c - see parking_live.h.
 */
#include "parking_live.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "feed_random.h"
#include "memory.h"
#include "parking.h"

#define STATEMENT_BYTES_MAX 512
#define MS_PER_MINUTE       60000
#define MS_PER_HOUR         3600000
#define RECENT_PAYMENTS     2000

static void add(struct mr_writer *sql, const char *format, ...) MR_PRINTF(2, 3);

static void add(struct mr_writer *sql, const char *format, ...)
{
    char text[STATEMENT_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    MR_ASSERT(length > 0 && (size_t)length < sizeof(text));
    mr_write_bytes(sql, text, (size_t)length);
}

void mr_parking_live_init(struct mr_parking_live *live, uint64_t seed)
{
    *live = (struct mr_parking_live){.random = seed, .next_session = 1, .next_payment = 1};
    live->open = mr_memory_new(PARKING_OPEN_MAX, sizeof(*live->open));
}

void mr_parking_live_done(struct mr_parking_live *live)
{
    free(live->open);
    *live = (struct mr_parking_live){0};
}

void mr_parking_live_take(struct mr_parking_live *live, const struct mr_parking_visit *visit)
{
    if (live->open_count < PARKING_OPEN_MAX) {
        live->open[live->open_count++] = *visit;
    }
}

static struct mr_parking_visit remove_visit(struct mr_parking_live *live, uint32_t index)
{
    MR_ASSERT(index < live->open_count);
    const struct mr_parking_visit visit = live->open[index];
    live->open[index] = live->open[--live->open_count];
    return visit;
}

static uint32_t enter(struct mr_parking_live *live, int64_t now_ms, struct mr_writer *sql)
{
    uint64_t *random = &live->random;
    const struct mr_parking_visit visit = {
        .id = live->next_session++,
        .entry_ms = now_ms,
        .location = mr_parking_draw_location(random),
        .vehicle = mr_parking_draw_vehicle(random),
        .member = mr_feed_chance(random, 15) ? 1 + mr_feed_below(random, PARKING_MEMBER_COUNT) : 0,
    };
    char plate[PARKING_PLATE_BYTES];
    char time[PARKING_TIME_BYTES];
    char member[16] = "NULL";
    mr_parking_draw_plate(random, plate);
    mr_parking_print_time(now_ms, time);
    if (visit.member != 0) {
        (void)snprintf(member, sizeof(member), "%u", visit.member);
    }
    add(sql,
        "INSERT INTO parking_session (id, location_id, entry_gate_id, vehicle_type_id, member_id, "
        "plate, entry_at) VALUES (%" PRIu64 ", %u, %u, %u, %s, '%s', '%s');",
        visit.id, visit.location, visit.location * 10 + 1 + mr_feed_below(random, 2), visit.vehicle,
        member, plate, time);
    mr_parking_live_take(live, &visit);
    return 1;
}

static uint32_t leave(struct mr_parking_live *live, int64_t now_ms, struct mr_writer *sql)
{
    uint64_t *random = &live->random;
    const struct mr_parking_visit visit =
        remove_visit(live, mr_feed_below(random, live->open_count));
    /* Seconds of load stand for hours of parking: the clock of a stay runs 60 times as fast. */
    const int64_t stayed_minutes = (now_ms - visit.entry_ms) / 1000 + 1;
    const uint32_t minutes = stayed_minutes > 10000 ? 10000 : (uint32_t)stayed_minutes;
    const int64_t cents = mr_parking_price_cents(visit.location, visit.vehicle, minutes);
    const uint32_t method =
        visit.member != 0 ? PARKING_METHOD_MEMBER : mr_parking_draw_method(random);
    const int64_t discount = visit.member != 0 ? cents / 10 : 0;
    const int64_t paid = cents - discount;
    char time[PARKING_TIME_BYTES];
    mr_parking_print_time(now_ms, time);
    add(sql,
        "UPDATE parking_session SET exit_gate_id = %u, exit_at = '%s', status = 'closed', "
        "lost_ticket = %d WHERE id = %" PRIu64 ";",
        visit.location * 10 + 3 + mr_feed_below(random, 2), time, mr_feed_chance(random, 1),
        visit.id);
    add(sql,
        "INSERT INTO payment (id, session_id, payment_method_id, amount, discount, tax, reference, "
        "paid_at) VALUES (%" PRIu64 ", %" PRIu64 ", %u, %" PRId64 ".%02d, %" PRId64
        ".%02d, %" PRId64 ".%02d, 'R%08" PRIx64 "', '%s');",
        live->next_payment++, visit.id, method, paid / 100, (int)(paid % 100), discount / 100,
        (int)(discount % 100), paid / 6 / 100, (int)(paid / 6 % 100),
        mr_feed_draw(random) & UINT64_C(0xffffffff), time);
    if (visit.member == 0) {
        return 2;
    }
    add(sql, "UPDATE member SET balance = balance - %" PRId64 ".%02d WHERE id = %u;", paid / 100,
        (int)(paid % 100), visit.member);
    return 3;
}

static uint32_t correct(struct mr_parking_live *live, struct mr_writer *sql)
{
    uint64_t *random = &live->random;
    if (live->next_payment > 1 && mr_feed_chance(random, 70)) {
        const uint64_t recent =
            live->next_payment - 1 < RECENT_PAYMENTS ? live->next_payment - 1 : RECENT_PAYMENTS;
        const uint64_t id = live->next_payment - 1 - mr_feed_draw(random) % recent;
        add(sql, "UPDATE payment SET status = '%s' WHERE id = %" PRIu64 ";",
            mr_feed_chance(random, 80) ? "refunded" : "voided", id);
        return 1;
    }
    if (live->open_count == 0) {
        return 0;
    }
    const struct mr_parking_visit visit =
        remove_visit(live, mr_feed_below(random, live->open_count));
    add(sql, "UPDATE parking_session SET status = 'cancelled' WHERE id = %" PRIu64 ";", visit.id);
    return 1;
}

static uint32_t erase(struct mr_parking_live *live, struct mr_writer *sql)
{
    const struct mr_parking_visit visit =
        remove_visit(live, mr_feed_below(&live->random, live->open_count));
    add(sql, "DELETE FROM parking_session WHERE id = %" PRIu64 ";", visit.id);
    return 1;
}

/* Vehicles inside that the hour asks for. */
static uint32_t open_wanted(int64_t now_ms)
{
    uint32_t capacity = 0;
    for (uint32_t location = 1; location <= PARKING_LOCATION_COUNT; location++) {
        capacity += mr_parking_capacity(location);
    }
    const size_t hour = (size_t)(now_ms / MS_PER_HOUR % 24);
    return capacity * mr_parking_hour_percent[hour] / 100;
}

uint32_t mr_parking_live_transaction(struct mr_parking_live *live, int64_t now_ms, uint32_t rows,
                                     struct mr_writer *sql)
{
    MR_ASSERT(rows > 0);
    const uint32_t wanted = open_wanted(now_ms);
    uint32_t made = 0;
    add(sql, "BEGIN;");
    while (made < rows) {
        const uint32_t kind = mr_feed_below(&live->random, 100);
        const uint32_t entry_percent = live->open_count < wanted ? 72 : 45;
        if (live->open_count == 0 ||
            (kind < entry_percent && live->open_count < PARKING_OPEN_MAX)) {
            made += enter(live, now_ms, sql);
        } else if (kind < 96) {
            made += leave(live, now_ms, sql);
        } else if (kind < 99) {
            made += correct(live, sql);
        } else {
            made += erase(live, sql);
        }
    }
    add(sql, "COMMIT;");
    return made;
}
