// SPDX-License-Identifier: MIT
/*
 * parking.c - see parking.h.
 */
#include "parking.h"

#include <stdio.h>
#include <time.h>

#include "compiler.h"
#include "feed_random.h"

#define MINUTES_PER_DAY 1440

const uint8_t mr_parking_hour_percent[24] = {8,  5,  4,  4,  6,  14, 35, 70, 95, 100, 90, 88,
                                             92, 90, 85, 84, 90, 98, 92, 75, 55, 38,  24, 14};

static const uint32_t capacities[PARKING_LOCATION_COUNT] = {420, 180, 960, 740, 300, 260,
                                                            820, 150, 90,  380, 640, 210};

/* Weights in percent, by id. */
static const uint8_t vehicle_percent[PARKING_VEHICLE_COUNT] = {18, 46, 17, 12, 5, 2};
static const uint8_t method_percent[PARKING_METHOD_COUNT] = {16, 38, 22, 14, 10};

/* First hour, next hours, daily maximum in cents by size class: small, medium, large. */
static const int64_t tariff_cents[3][3] = {{100, 50, 600}, {250, 175, 1800}, {600, 450, 4800}};
static const uint8_t vehicle_size[PARKING_VEHICLE_COUNT] = {0, 1, 1, 1, 2, 2};

uint32_t mr_parking_capacity(uint32_t location)
{
    MR_ASSERT(location >= 1 && location <= PARKING_LOCATION_COUNT);
    return capacities[location - 1];
}

uint32_t mr_parking_draw_location(uint64_t *random)
{
    uint32_t total = 0;
    for (size_t i = 0; i < PARKING_LOCATION_COUNT; i++) {
        total += capacities[i];
    }
    uint32_t at = mr_feed_below(random, total);
    uint32_t location = 0;
    while (at >= capacities[location]) {
        at -= capacities[location++];
    }
    return location + 1;
}

static uint32_t draw_weighted(uint64_t *random, const uint8_t *percent, uint32_t count)
{
    uint32_t at = mr_feed_below(random, 100);
    uint32_t index = 0;
    while (index + 1 < count && at >= percent[index]) {
        at -= percent[index++];
    }
    return index + 1;
}

uint32_t mr_parking_draw_vehicle(uint64_t *random)
{
    return draw_weighted(random, vehicle_percent, PARKING_VEHICLE_COUNT);
}

uint32_t mr_parking_draw_method(uint64_t *random)
{
    return draw_weighted(random, method_percent, PARKING_METHOD_COUNT);
}

uint32_t mr_parking_draw_stay_minutes(uint64_t *random)
{
    /* Short stops, shopping and a working day; one in fifty stays for days. */
    const uint32_t kind = mr_feed_below(random, 100);
    if (kind < 35) {
        return 10 + mr_feed_below(random, 50);
    }
    if (kind < 75) {
        return 45 + mr_feed_below(random, 150);
    }
    if (kind < 98) {
        return 360 + mr_feed_below(random, 240);
    }
    return MINUTES_PER_DAY + mr_feed_below(random, 4 * MINUTES_PER_DAY);
}

void mr_parking_draw_plate(uint64_t *random, char plate[PARKING_PLATE_BYTES])
{
    static const char letters[] = "BDFGHJKLNPRSTVXZ";
    const uint32_t first = mr_feed_below(random, sizeof(letters) - 1);
    const uint32_t second = mr_feed_below(random, sizeof(letters) - 1);
    const uint32_t last = mr_feed_below(random, sizeof(letters) - 1);
    (void)snprintf(plate, PARKING_PLATE_BYTES, "%c%c-%03u-%c", letters[first], letters[second],
                   mr_feed_below(random, 1000), letters[last]);
}

int64_t mr_parking_price_cents(uint32_t location, uint32_t vehicle, uint32_t minutes)
{
    MR_ASSERT(vehicle >= 1 && vehicle <= PARKING_VEHICLE_COUNT);
    const int64_t *tariff = tariff_cents[vehicle_size[vehicle - 1]];
    const int64_t factor = location == 3 || location == 4 ? 2 : 1;
    const int64_t days = minutes / MINUTES_PER_DAY;
    const int64_t rest_minutes = minutes % MINUTES_PER_DAY;
    const int64_t started_hours = (rest_minutes + 59) / 60;
    int64_t rest_cents = started_hours == 0 ? 0 : tariff[0] + (started_hours - 1) * tariff[1];
    if (rest_cents > tariff[2]) {
        rest_cents = tariff[2];
    }
    return factor * (days * tariff[2] + rest_cents);
}

void mr_parking_print_time(int64_t unix_ms, char *buffer)
{
    MR_ASSERT(unix_ms >= 0);
    const time_t seconds = (time_t)(unix_ms / 1000);
    struct tm parts;
    (void)gmtime_r(&seconds, &parts);
    const size_t length = strftime(buffer, PARKING_TIME_BYTES, "%Y-%m-%d %H:%M:%S", &parts);
    (void)snprintf(buffer + length, PARKING_TIME_BYTES - length, ".%03d", (int)(unix_ms % 1000));
}
