// SPDX-License-Identifier: MIT
/*
 * dashboard.h - a dashboard file: panels, each one SQL statement on the warehouse, and filters
 * whose values the statements name as $filter.
 *
 *   title: Parking
 *   filters:
 *     - {name: location, title: Location, sql: "SELECT id, name FROM ... ORDER BY 2"}
 *     - {name: since, title: Since, choices: [1 hour, 24 hours, 30 days], default: 24 hours}
 *   panels:
 *     - {title: Revenue today, type: number, unit: EUR, width: 3, sql: "SELECT ..."}
 *
 * A filter that is not set is NULL: "WHERE $location IS NULL OR location_id = $location::INT".
 * Statements reach the engine with values bound, never put into their text.
 */
#ifndef MR_PIPELINE_DASHBOARD_H
#define MR_PIPELINE_DASHBOARD_H

#include <stdint.h>

#include "error.h"
#include "options.h"

#define MR_DASHBOARD_BYTES_MAX   (UINT32_C(256) << 10) /* of the file */
#define MR_DASHBOARD_PANELS_MAX  32
#define MR_DASHBOARD_FILTERS_MAX 8
#define MR_DASHBOARD_COLUMNS     12 /* of the page's raster: a panel's width counts in these */

struct mr_config_surroundings;

struct mr_dashboard_filter {
    const char *name; /* letters, digits and _ */
    const char *title;
    const char *sql;               /* (value), or (value, label), of each choice; or NULL */
    struct mr_string_list choices; /* fixed ones */
    const char *fallback;          /* value at first; NULL: not set */
};

enum mr_panel_type {
    MR_PANEL_NUMBER,
    MR_PANEL_LINE,
    MR_PANEL_BAR,
    MR_PANEL_STACKED,
    MR_PANEL_HEAT,
    MR_PANEL_TABLE,
    MR_PANEL_MAP,
};

struct mr_dashboard_panel {
    const char *title;
    unsigned type; /* enum mr_panel_type */
    const char *unit;
    uint64_t width;
    const char *sql;      /* as written */
    char *statement;      /* with $1, $2, ... for the filters below; the dashboard's */
    uint8_t filter_count; /* of the statement, in the order of their numbers */
    uint8_t filters[MR_DASHBOARD_FILTERS_MAX]; /* indexes */
};

struct mr_dashboard {
    const char *name; /* in addresses; the file's without its ending, unless it says another */
    const char *title;
    struct mr_dashboard_filter *filters;
    uint32_t filter_count;
    struct mr_dashboard_panel *panels;
    uint32_t panel_count;
    struct mr_option_memory memory;
};

/** As in the file ("stacked"). */
const char *mr_panel_type_name(unsigned type);

/**
 * Reads a file. Errors: MR_E_CONFIG with "file:line: " in front: not YAML, an unknown key, a
 * statement that names a filter which is not there. On failure *dashboard is empty.
 */
bool mr_dashboard_load(struct mr_dashboard *dashboard, const char *file,
                       const struct mr_config_surroundings *around,
                       struct mr_error *err) MR_MUST_CHECK;

/** Accepts a zeroed struct. */
void mr_dashboard_done(struct mr_dashboard *dashboard);

#endif
