#!/bin/sh
# The comparison sees a wrong row; sources: MySQL 8.0.31 and PostgreSQL.
set -eu
# shellcheck disable=SC2034  # the demo's
DEMO_MYSQL=8.0
. "$(dirname "$0")/plant.sh"
