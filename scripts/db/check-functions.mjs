// Asks plpgsql_check about our functions: it plans every statement of a body, those that no test reaches too, so it finds what one
// version of Postgres has and another has not. Functions in SQL need it not: Postgres itself looks through them when they are made.
import pg from 'pg';

// A trigger function of several tables reads columns that only some of them have, behind a look at which one it is. Its transition
// tables have the names that its triggers give them; which of two is the old one makes no difference, as both have the table's columns.
const CHECK = `
  with ours as (
    select p.oid, p.prorettype = 'trigger'::regtype as is_trigger
    from pg_catalog.pg_proc p join pg_catalog.pg_language l on l.oid = p.prolang
    where l.lanname = 'plpgsql' and p.pronamespace in ('stark'::regnamespace, 'stark_internal'::regnamespace)),
  uses as (
    select o.oid, t.tgrelid, count(*) over (partition by o.oid) as tables,
           array(select distinct n from pg_catalog.pg_trigger g, unnest(array[g.tgoldtable, g.tgnewtable]) n where g.tgfoid = o.oid and n is not null) as names
    from ours o left join (select distinct tgfoid, tgrelid from pg_catalog.pg_trigger) t on t.tgfoid = o.oid
    where not o.is_trigger or t.tgrelid is not null)
  select format('%s line %s: %s', u.oid::regprocedure, c.lineno, c.message) as finding
  from uses u
  cross join lateral extensions.plpgsql_check_function_tb(u.oid, coalesce(u.tgrelid, 0), fatal_errors => false,
    oldtable => u.names[1], newtable => u.names[2]) c
  where c.level = 'error' and not (u.tables > 1 and c.sqlstate = '42703')
  order by 1`;

/** What plpgsql_check finds wrong, a line each; undefined where the server does not have it. */
export async function checkFunctions(url) {
  const admin = new pg.Client({ connectionString: url('supabase_admin') });
  await admin.connect();
  try {
    const { rows } = await admin.query(`select from pg_catalog.pg_available_extensions where name = 'plpgsql_check'`);
    if (rows.length === 0) return undefined;
    await admin.query('create extension if not exists plpgsql_check with schema extensions');
  } finally {
    await admin.end();
  }
  const owner = new pg.Client({ connectionString: url() });
  await owner.connect();
  try {
    await owner.query('select stark_internal.open_tables()');
    return (await owner.query(CHECK)).rows.map(({ finding }) => finding);
  } finally {
    await owner.end();
  }
}
