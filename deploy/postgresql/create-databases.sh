#!/usr/bin/env bash
# Run once by the image of PostgreSQL, on an empty volume: one role and one database per service.
set -euo pipefail

for service in identity enrolment documents courses notifications; do
    psql --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
        --set=name="$service" --set=password="$SERVICES_PASSWORD" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
done
