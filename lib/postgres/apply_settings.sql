-- Names that an older server does not know are left out, and what a server on Windows cannot do. Some names are spelt with capitals there: DateStyle, TimeZone.
SELECT set_config(name, wanted, false)
FROM pg_settings
JOIN unnest($1::text[], $2::text[]) AS asked (parameter, wanted) ON lower(name) = parameter
WHERE name <> 'client_connection_check_interval' OR version() !~* 'windows|mingw|visual c';
