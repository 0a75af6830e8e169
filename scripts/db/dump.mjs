// A deterministic dump of the schemas `stark` and `stark_internal`, read from the catalogue: what is in the database once
// the migrations are applied, in one text that is diffed in CI, so that no change of it goes unseen.
// Day partitions are left out: their names depend on the day.
import { join } from 'node:path';
import pg from 'pg';
import { isProgram, writeOrCheck } from './command-line.mjs';
import { root, withTestDatabase } from './test-database.mjs';

export const goldenPath = join(root, 'supabase/schema.golden.sql');

const OURS = `in ('stark'::regnamespace, 'stark_internal'::regnamespace)`;
const NOT_A_DAY = `!~ '_[0-9]{4}_[0-9]{2}_[0-9]{2}($|_)'`;

/** One line for each privilege, `public` written out; the owner's own and defaults nobody gave are left out. */
const grants = (what, acl, owner) => `
  select coalesce(string_agg(format('grant %s on ${what} to %s;', privilege, grantee), E'\\n' order by grantee), '')
  from (
    select string_agg(lower(a.privilege_type), ', ' order by a.privilege_type) as privilege,
           case a.grantee when 0 then 'public' else a.grantee::regrole::text end as grantee
    from aclexplode(${acl}) a where a.grantee <> ${owner} group by a.grantee) g`;

const comment = (what, text) => `coalesce(format(E'comment on ${what} is %L;', ${text}), '')`;

const SECTIONS = [
  [
    'Schemas',
    `select concat_ws(E'\\n', format('create schema %I;', n.nspname), ${comment("schema ' || quote_ident(n.nspname) || E'", `obj_description(n.oid, 'pg_namespace')`)},
       nullif((${grants("schema ' || quote_ident(n.nspname) || '", 'n.nspacl', 'n.nspowner')}), ''))
     from pg_namespace n where n.oid ${OURS} order by n.nspname`,
  ],
  [
    'Types',
    `select concat_ws(E'\\n', format(E'create type %s as (\\n%s\\n);', t.oid::regtype,
         (select string_agg(format('  %I %s', a.attname, format_type(a.atttypid, a.atttypmod)), E',\\n' order by a.attnum)
          from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped)),
       ${comment("type ' || t.oid::regtype || E'", `obj_description(t.oid, 'pg_type')`)})
     from pg_type t join pg_class c on c.oid = t.typrelid and c.relkind = 'c'
     where t.typnamespace ${OURS} order by t.oid::regtype::text collate "C"`,
  ],
  [
    'Tables',
    `select concat_ws(E'\\n',
       format(E'create table %s (\\n%s\\n)%s;', c.oid::regclass,
         (select string_agg(format('  %I %s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
              case when d.adbin is null then ''
                   when a.attgenerated = 's' then format(' generated always as (%s) stored', pg_get_expr(d.adbin, d.adrelid))
                   else format(' default %s', pg_get_expr(d.adbin, d.adrelid)) end,
              case when a.attnotnull then ' not null' else '' end), E',\\n' order by a.attnum)
          from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
         case when c.relkind = 'p' then ' partition by ' || pg_get_partkeydef(c.oid)
              when c.relispartition then ' partition of ' || (select i.inhparent::regclass from pg_inherits i where i.inhrelid = c.oid) || ' ' || pg_get_expr(c.relpartbound, c.oid)
              else '' end),
       case when c.relrowsecurity then format('alter table %s enable row level security;', c.oid::regclass) end,
       (select string_agg(format('alter table %s add constraint %I %s;', c.oid::regclass, k.conname, pg_get_constraintdef(k.oid)), E'\\n' order by k.contype, k.conname collate "C")
        from pg_constraint k where k.conrelid = c.oid and not exists (select from pg_constraint up where up.oid = k.conparentid)),
       (select string_agg(pg_get_indexdef(i.indexrelid) || ';', E'\\n' order by i.indexrelid::regclass::text collate "C")
        from pg_index i where i.indrelid = c.oid and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.conrelid = c.oid)),
       (select string_agg(pg_get_triggerdef(t.oid) || ';', E'\\n' order by t.tgname collate "C")
        from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal),
       (select string_agg(format('create policy %I on %s for %s to %s%s%s;', p.polname, c.oid::regclass,
              case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
              (select string_agg(r::regrole::text, ', ' order by r::regrole::text) from unnest(p.polroles) r),
              coalesce(E'\\n  using (' || pg_get_expr(p.polqual, p.polrelid) || ')', ''),
              coalesce(E'\\n  with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '')), E'\\n' order by p.polname collate "C")
        from pg_policy p where p.polrelid = c.oid),
       nullif(${comment("table ' || c.oid::regclass || E'", `obj_description(c.oid, 'pg_class')`)}, ''),
       (select string_agg(format('comment on column %s.%I is %L;', c.oid::regclass, a.attname, col_description(c.oid, a.attnum)), E'\\n' order by a.attnum)
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and col_description(c.oid, a.attnum) is not null),
       nullif((${grants("table ' || c.oid::regclass || '", 'c.relacl', 'c.relowner')}), ''))
     from pg_class c where c.relnamespace ${OURS} and c.relkind in ('r', 'p') and c.relname ${NOT_A_DAY}
     order by c.oid::regclass::text collate "C"`,
  ],
  [
    'Views',
    `select concat_ws(E'\\n', format(E'create view %s%s as\\n%s', c.oid::regclass, coalesce(' with (' || array_to_string(c.reloptions, ', ') || ')', ''), pg_get_viewdef(c.oid, true)),
       nullif(${comment("view ' || c.oid::regclass || E'", `obj_description(c.oid, 'pg_class')`)}, ''),
       nullif((${grants("view ' || c.oid::regclass || '", 'c.relacl', 'c.relowner')}), ''))
     from pg_class c where c.relnamespace ${OURS} and c.relkind = 'v' order by c.oid::regclass::text collate "C"`,
  ],
  [
    'Functions',
    // What a function does stands in its migration; here it is only seen to change.
    `select concat_ws(E'\\n', format('%sas md5 %L;', split_part(pg_get_functiondef(p.oid), 'AS $function$', 1), md5(p.prosrc)),
       nullif(${comment("function ' || p.oid::regprocedure || E'", `obj_description(p.oid, 'pg_proc')`)}, ''),
       nullif((${grants("function ' || p.oid::regprocedure || '", `coalesce(p.proacl, acldefault('f', p.proowner))`, 'p.proowner')}), ''))
     from pg_proc p where p.pronamespace ${OURS} order by p.oid::regprocedure::text collate "C"`,
  ],
  [
    'Elsewhere',
    `select definition from (
       select pg_get_triggerdef(t.oid) || ';' as definition from pg_trigger t
         where not t.tgisinternal and t.tgname like 'stark\\_%' and t.tgrelid::regclass::text not like 'stark%'
       union all
       select format('create policy %I on %s for %s to %s%s%s;', p.policyname, p.schemaname || '.' || p.tablename, lower(p.cmd), array_to_string(p.roles, ', '),
         coalesce(E'\\n  using (' || p.qual || ')', ''), coalesce(E'\\n  with check (' || p.with_check || ')', ''))
         from pg_policies p where p.schemaname not in ('stark', 'stark_internal') and p.policyname like 'Stark:%'
       union all
       select format('insert into storage.buckets (id, name, public, file_size_limit) values (%L, %L, %L, %L);', b.id, b.name, b.public, b.file_size_limit) from storage.buckets b where b.id = 'packs'
       union all
       select format('select cron.schedule(%L, %L, %L);', j.jobname, j.schedule, j.command) from cron.job j where j.jobname like 'stark-%'
     ) e order by definition collate "C"`,
  ],
];

/** Tables whose rows come with the migrations and mean something: errors, rights, allowed steps. */
const SEEDS = {
  'stark.error_codes': 'code, http_status, exit_code',
  'stark.roles': 'name, alias_of, built_in',
  'stark.role_permissions': 'role, kind, verb, scope',
  'stark.pod_status_steps': 'from_status, to_status, taken_by',
  'stark.namespaces': 'name, reserved',
};

/** The dump of the database behind `url`. */
export async function dumpSchemas(url) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    // Without a path every name is printed in full.
    await client.query(`set search_path = ''`);
    const parts = ['-- What the migrations make. Written by scripts/db/dump.mjs, compared in CI; never applied.'];
    for (const [title, sql] of SECTIONS) parts.push(`-- ${title}`, ...(await texts(client, sql)));
    parts.push('-- Rows that come with the migrations');
    for (const [table, columns] of Object.entries(SEEDS)) {
      const rows = await texts(
        client,
        `select '  ' || row(${columns})::text from ${table} order by (row(${columns})::text) collate "C"`,
      );
      parts.push([`-- ${table} (${columns})`, ...rows.map((row) => `--${row}`)].join('\n'));
    }
    return `${parts.join('\n\n')}\n`;
  } finally {
    await client.end();
  }
}

async function texts(client, text) {
  const { rows } = await client.query({ text, rowMode: 'array' });
  return rows.map(([value]) => value);
}

if (isProgram(import.meta.url)) {
  await withTestDatabase(async ({ url }) =>
    writeOrCheck(goldenPath, await dumpSchemas(url()), 'node scripts/db/dump.mjs'),
  );
}
