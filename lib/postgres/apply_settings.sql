-- Names that an older server does not know are left out, and what a server on Windows cannot do.
SELECT set_config(name, wanted, false)
FROM pg_settings
JOIN unnest($1::text[], $2::text[]) AS asked (parameter, wanted) ON name = parameter
WHERE name <> 'client_connection_check_interval' OR version() !~* 'windows|mingw|visual c';
