// SPDX-License-Identifier: MIT
/*
 * parking.h - the parking business in numbers: what both feeders share. Ids, capacities and tariffs
 * are those of mysql.sql and postgres.sql in examples/parking.
 */
#ifndef MR_FEED_PARKING_H
#define MR_FEED_PARKING_H

#include <stddef.h>
#include <stdint.h>

#define PARKING_LOCATION_COUNT 12
#define PARKING_VEHICLE_COUNT  6
#define PARKING_METHOD_COUNT   5
#define PARKING_METHOD_MEMBER  5
#define PARKING_MEMBER_COUNT   400
#define PARKING_PLATE_BYTES    16

/** How busy an hour of the day (0-23, local) is, in percent of the busiest. */
extern const uint8_t mr_parking_hour_percent[24];

uint32_t mr_parking_capacity(uint32_t location);

/** Draws a location (1..), larger ones more often; a vehicle type (1..), cars most; a payment
 *  method (1..); minutes of a stay. */
uint32_t mr_parking_draw_location(uint64_t *random);
uint32_t mr_parking_draw_vehicle(uint64_t *random);
uint32_t mr_parking_draw_method(uint64_t *random);
uint32_t mr_parking_draw_stay_minutes(uint64_t *random);

/** A plate such as "KL-482-Q". */
void mr_parking_draw_plate(uint64_t *random, char plate[PARKING_PLATE_BYTES]);

/** Cents for a stay, as the tariff table says. */
int64_t mr_parking_price_cents(uint32_t location, uint32_t vehicle, uint32_t minutes);

/** Prints Unix milliseconds as "YYYY-MM-DD hh:mm:ss.mmm"; buffer holds PARKING_TIME_BYTES. */
#define PARKING_TIME_BYTES 32
void mr_parking_print_time(int64_t unix_ms, char *buffer);

#endif
