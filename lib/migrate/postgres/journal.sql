-- What was applied, so that it is applied once.
CREATE SCHEMA IF NOT EXISTS shop;
CREATE TABLE shop.schema_migrations (
  version integer PRIMARY KEY,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE shop.schema_migrations IS 'Migrations of salesflow that were applied, with the SHA-256 of their text';
