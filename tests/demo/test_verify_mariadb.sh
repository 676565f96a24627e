#!/bin/sh
# The comparison sees a wrong row; sources: MariaDB and PostgreSQL.
set -eu
# shellcheck disable=SC2034  # the demo's
DEMO_MYSQL=mariadb
. "$(dirname "$0")/plant.sh"
