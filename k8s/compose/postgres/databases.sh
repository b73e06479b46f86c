#!/bin/bash
# Creates a database and its owner for the shop and for Airflow's metadata, unless they exist. The image runs it on an empty
# volume. `databases.sh wait` runs after every start, because a start that was killed after initdb never runs it again.
set -euo pipefail

if [ "${1:-}" = wait ]; then
  # Over TCP: during initialisation the server only listens on its Unix socket.
  for _ in $(seq 600); do pg_isready --quiet --host=127.0.0.1 && break || sleep 1; done
fi

database() { # database NAME PASSWORD
  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set name="$1" --set password="$2" --username postgres <<'SQL'
SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', :'name', :'password')
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
SELECT format('CREATE DATABASE %I OWNER %I ENCODING ''UTF8'' TEMPLATE template0', :'name', :'name')
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
SQL
}

database salesflow "$SALESFLOW_DB_PASSWORD"
database airflow "$AIRFLOW_DB_PASSWORD"
