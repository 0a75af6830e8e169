import type pg from 'pg';

/** Something that holds statements: a function, a rule, or a job of pg_cron. */
export interface Definition {
  name: string;
  text: string;
}

/** Everything of ours in the database that holds statements, as SQL. What extensions brought is not ours. */
export async function definitionsIn(client: pg.Client): Promise<Definition[]> {
  const { rows } = await client.query<Definition>(`
    select p.oid::regprocedure::text as name, pg_get_functiondef(p.oid) as text
      from pg_proc p
      where p.prokind <> 'a' and p.proowner = 'postgres'::regrole
        and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
    union all
    select 'rule ' || r.rulename, pg_get_ruledef(r.oid)
      from pg_rewrite r join pg_class c on c.oid = r.ev_class
      where r.rulename <> '_RETURN' and c.relowner = 'postgres'::regrole
    union all
    select 'job ' || j.jobname, j.command from cron.job j
    order by 1`);
  return rows;
}
