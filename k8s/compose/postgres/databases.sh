#!/bin/bash
# Runs once, on an empty volume: creates a database and its owner for the shop and for Airflow's metadata.
set -euo pipefail

database() { # database NAME PASSWORD
  psql --no-psqlrc --set ON_ERROR_STOP=1 --set name="$1" --set password="$2" --username "$POSTGRES_USER" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name" ENCODING 'UTF8' TEMPLATE template0;
REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
SQL
}

database salesflow "$SALESFLOW_DB_PASSWORD"
database airflow "$AIRFLOW_DB_PASSWORD"
