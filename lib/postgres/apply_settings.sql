-- Sets only parameters that the server knows: older versions lack some, and Windows does not support
-- client_connection_check_interval. Names are compared in lower case because pg_settings has DateStyle and TimeZone.
SELECT set_config(name, wanted, false)
FROM pg_settings
JOIN unnest($1::text[], $2::text[]) AS asked (parameter, wanted) ON lower(name) = parameter
WHERE name <> 'client_connection_check_interval' OR version() !~* 'windows|mingw|visual c';
