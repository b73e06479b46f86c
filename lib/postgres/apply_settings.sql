-- Names that an older server does not know are left out.
SELECT set_config(name, wanted, false)
FROM pg_settings
JOIN unnest($1::text[], $2::text[]) AS asked (parameter, wanted) ON name = parameter;
