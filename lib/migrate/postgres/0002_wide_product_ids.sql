-- product_id becomes a 64-bit number, like the other ids. PostgreSQL writes the three tables anew, under an exclusive lock.
-- Tables are locked in the order of load: products first.

DO $$
DECLARE
  dependent_view record;
  restored text[] := '{}';
  statement text;
BEGIN
  -- ALTER TABLE refuses to change a column that a view shows. Those views, and the views that read them, are dropped from the
  -- outermost to the innermost, and created again in the opposite order with owner, options, grants and comments.
  LOCK TABLE shop.products, shop.sales, shop.sales_aggregates IN ACCESS EXCLUSIVE MODE;
  FOR dependent_view IN
    WITH RECURSIVE dependent (relation, depth) AS (
      SELECT rule.ev_class, 1
      FROM pg_depend usage
      JOIN pg_rewrite rule ON rule.oid = usage.objid
      JOIN pg_attribute shown ON (shown.attrelid, shown.attnum) = (usage.refobjid, usage.refobjsubid)
      WHERE usage.classid = 'pg_rewrite'::regclass
        AND usage.refclassid = 'pg_class'::regclass
        AND usage.refobjid IN ('shop.products'::regclass, 'shop.sales'::regclass, 'shop.sales_aggregates'::regclass)
        AND shown.attname = 'product_id'
      UNION
      SELECT rule.ev_class, depth + 1
      FROM dependent
      JOIN pg_depend usage ON usage.refclassid = 'pg_class'::regclass AND usage.refobjid = relation
      JOIN pg_rewrite rule ON usage.classid = 'pg_rewrite'::regclass AND rule.oid = usage.objid AND rule.ev_class <> relation
    )
    SELECT
      relation AS id,
      format('%I.%I', nspname, relname) AS name,
      relkind = 'v'
        AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = relation)
        AND NOT EXISTS (SELECT FROM pg_attrdef WHERE adrelid = relation)
        AND NOT EXISTS (SELECT FROM pg_rewrite WHERE ev_class = relation AND rulename <> '_RETURN') AS is_plain,
      pg_get_userbyid(relowner) AS owner,
      format(
        'CREATE VIEW %I.%I%s AS %s',
        nspname,
        relname,
        ' WITH (' || array_to_string(reloptions, ', ') || ')',
        pg_get_viewdef(relation)
      ) AS definition
    FROM dependent
    JOIN pg_class ON pg_class.oid = relation
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    GROUP BY relation, nspname, relname, relkind, relowner, reloptions
    ORDER BY max(depth) DESC, relation
  LOOP
    IF NOT dependent_view.is_plain THEN
      RAISE EXCEPTION
        '% shows product_id and is materialized, or has triggers, rules or defaults: drop it, run migrate, and create it again',
        dependent_view.name;
    END IF;
    restored := ARRAY[dependent_view.definition]
      || ARRAY(
        SELECT format('COMMENT ON VIEW %s IS %L', dependent_view.name, description)
        FROM pg_description
        WHERE (classoid, objoid, objsubid) = ('pg_class'::regclass, dependent_view.id, 0)
      )
      || ARRAY(
        SELECT format('COMMENT ON COLUMN %s.%I IS %L', dependent_view.name, attname, description)
        FROM pg_description
        JOIN pg_attribute ON (attrelid, attnum) = (objoid, objsubid)
        WHERE (classoid, objoid) = ('pg_class'::regclass, dependent_view.id)
      )
      || format('ALTER VIEW %s OWNER TO %I', dependent_view.name, dependent_view.owner)
      || ARRAY(
        SELECT format(
          'GRANT %s%s ON %s TO %s%s',
          privilege_type,
          columns,
          dependent_view.name,
          CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
          CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
        )
        FROM (
          SELECT relacl AS grants, '' AS columns FROM pg_class WHERE oid = dependent_view.id
          UNION ALL
          SELECT attacl, format(' (%I)', attname) FROM pg_attribute WHERE attrelid = dependent_view.id
        ) granted, aclexplode(grants)
      )
      || restored;
    EXECUTE format('DROP VIEW %s', dependent_view.name);
  END LOOP;

  ALTER TABLE shop.products ALTER COLUMN product_id TYPE bigint, ADD COLUMN sku text;
  -- Exports rarely say what a product costs.
  ALTER TABLE shop.products ALTER COLUMN price_from DROP NOT NULL, ALTER COLUMN price_to DROP NOT NULL;
  ALTER TABLE shop.sales ALTER COLUMN product_id TYPE bigint;
  ALTER TABLE shop.sales_aggregates ALTER COLUMN product_id TYPE bigint;

  FOREACH statement IN ARRAY restored LOOP
    EXECUTE statement;
  END LOOP;
END
$$;

COMMENT ON COLUMN shop.products.sku IS
  'The product''s identifier as it stood in the export; NULL for generated sales';

-- The planner's statistics of a column are lost with its type.
ANALYZE shop.products, shop.sales, shop.sales_aggregates;
