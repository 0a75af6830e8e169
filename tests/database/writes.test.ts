import { array, assert, boolean, constantFrom, nat, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unfilteredWrites, withoutEachWhere, writesOf } from './writes.js';

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

// One UPDATE or DELETE --------------------------------------------------------------------------------------------------

/** Each is a WHERE of the statement's own; the real safeupdate takes them all. */
const FILTERS = [
  'where true',
  'where null',
  't.id = 1',
  'exists (select from u where u.id = t.id)',
  'where current of c',
];
/** What stands in a statement and is no WHERE of its own. */
const VALUES = [
  '1',
  '(select max(u.b) from u where u.b > 1)',
  "'where true'",
  '1 /* where true */',
  'case when b > 1 then 0 end',
];
const SOURCES = [
  'u',
  'u join v on u.id = v.id',
  '(select * from u where u.b = 1) s',
  'u, lateral (select u.id where true) l',
];
const RETURNED = ['returning *', 'returning (select count(*) from u where true)'];

interface Parts {
  command: string;
  only: boolean;
  table: string;
  value: string;
  source: string;
  filter: string;
  returned: string;
}

const parts = record<Parts>({
  command: constantFrom('update', 'delete', 'UPDATE', 'Delete'),
  only: boolean(),
  table: constantFrom('t', 'stark.pods t', 'pg_temp.pass_nodes as t', '"Upper case" t', 'a_view t'),
  value: constantFrom(...VALUES),
  source: constantFrom('', '', ...SOURCES),
  filter: constantFrom('', '', '', ...FILTERS),
  returned: constantFrom('', ...RETURNED),
});

function write({ command, only, table, value, source, filter, returned }: Parts): string {
  const from = `${only ? 'only ' : ''}${table}`;
  const isDelete = command.toLowerCase() === 'delete';
  const head = isDelete ? `${command} from ${from}` : `${command} ${from} set b = ${value}`;
  const sources = source === '' ? '' : `${isDelete ? 'using' : 'from'} ${source}`;
  return [head, sources, filter.replace(/^(?!where|$)/, 'where '), returned].filter((part) => part !== '').join(' ');
}

// Where it stands -------------------------------------------------------------------------------------------------------

type Place = (text: string) => string;
const returning = (text: string) => (/ returning /i.test(text) ? text : `${text} returning 1`);

/** Statements that hold another. */
const STATEMENTS: Record<string, Place> = {
  alone: (w) => w,
  'in a with': (w) => `with d as (${returning(w)}) select * from d where true`,
  'in a with after another': (w) =>
    `with a as (select from u where true), d as (${returning(w)}) insert into v select * from d`,
  'in a with before a filtered one': (w) =>
    `with d as (${returning(w)}) update z set b = 1 where id in (select * from d)`,
  'after a with that is filtered': (w) => `with d as (delete from z where true returning *) ${w}`,
  'in a recursive with': (w) =>
    `with recursive n as (select 1 union all select * from n where false), d as (${returning(w)}) table d`,
  'in a table': (w) => `create table made as with d as (${returning(w)}) select * from d`,
  explained: (w) => `explain (analyze, costs off) ${w}`,
  copied: (w) => `copy (${returning(w)}) to stdout`,
  prepared: (w) => `prepare q as ${w}`,
  'of a rule': (w) => `create rule r as on insert to v do also ${w}`,
};

const plpgsql = (body: string, head = 'returns setof integer') =>
  `create function f(p integer) ${head} language plpgsql security definer set search_path = '' as $f$ ${body} $f$`;
const lines = (body: string) => plpgsql(`begin ${body} end`);

/** Places in functions and blocks. */
const PLACES: Record<string, Place> = {
  'no function': (s) => s,
  'the first of several': (s) => `${s}; select 1 where true`,
  'the last of several': (s) => `select 1 where true; ${s};`,
  'a function in SQL': (s) => `create function f() returns void language sql as $f$ ${s} $f$`,
  'a quoted function in SQL': (s) => `create function f() returns void as ${quoted(s)} language 'sql'`,
  'the middle of a function in SQL': (s) =>
    `create function f() returns void language sql as $f$ select 1; ${s}; select 2 $f$`,
  'a procedure in SQL': (s) => `create or replace procedure f() language sql as $f$ ${s} $f$`,
  'a function': (s) => lines(`${s};`),
  'a procedure': (s) => `create procedure f() language plpgsql as $f$ begin ${s}; commit; end $f$`,
  'a trigger function': (s) => plpgsql(`begin ${s}; return null; end`, 'returns trigger').replace('p integer', ''),
  'an event trigger': (s) => plpgsql(`begin ${s}; end`, 'returns event_trigger').replace('p integer', ''),
  'a branch': (s) => lines(`if p > 1 then null; elsif p > 0 then ${s}; else null; end if;`),
  'the other branch': (s) => lines(`if p > 1 then null; else ${s}; end if;`),
  'a case': (s) => lines(`case p when 1 then null; else ${s}; end case;`),
  'a loop': (s) => lines(`for i in 1..2 loop ${s}; end loop;`),
  'a block that is left': (s) => lines(`<<outer>> loop begin ${s}; exit outer; end; end loop;`),
  'an exception handler': (s) => lines(`begin perform 1; exception when others then ${s}; end;`),
  'a declared block': (s) => plpgsql(`declare r record; begin declare i integer := 1; begin ${s}; end; end`),
  'a DO block': (s) => `do $f$ begin ${s}; end $f$`,
  'a DO block of a function': (s) => lines(`do $g$ begin ${s}; end $g$;`),
  'a text that is executed': (s) => lines(`execute ${quoted(s)};`),
  'a text that gets values': (s) => lines(`execute ${quoted(s)} using p;`),
  'a text with a name': (s) => lines(`execute format(${quoted(`${s.replaceAll('%', '%%')} /* %I */`)}, p);`),
  'a text with a value': (s) => lines(`execute format(${quoted(`${s.replaceAll('%', '%%')} /* %2$L */`)}, p, p);`),
  'a text of a query': (s) => lines(`execute (select format('%s', ${quoted(s)}) from u where true);`),
  'one of two texts': (s) => lines(`execute case when p > 1 then 'select 1' else ${quoted(s)} end;`),
  'a text or another': (s) => lines(`execute coalesce(${quoted(s)}::text, 'select 1');`),
  'a text that is looped over': (s) =>
    plpgsql(`declare r record; begin for r in execute ${quoted(s)} loop null; end loop; end`),
  'a text that is returned': (s) => lines(`return query execute ${quoted(s)};`),
  'a text of a cursor': (s) => plpgsql(`declare c refcursor; begin open c for execute ${quoted(s)}; end`),
  'a text that makes a function': (s) =>
    lines(`execute ${quoted(`create function pg_temp.g() returns void language sql as ${quoted(s)}`)};`),
  'a text in a text': (s) => lines(`execute ${quoted(`do $g$ begin execute ${quoted(s)}; end $g$`)};`),
};

/** Statements as sources of rows. */
const ROWS: Record<string, Place> = {
  'a loop over rows': (s) => plpgsql(`declare r record; begin for r in ${s} loop null; end loop; end`),
  'rows that are returned': (s) => lines(`return query ${s};`),
  'a row that is kept': (s) => plpgsql(`declare r record; begin ${s} into r; end`),
  'BEGIN ATOMIC': (s) => `create function f() returns void begin atomic select 1; ${s}; end`,
  'a RETURN of a procedure': (s) => `create procedure f() begin atomic ${s}; end`,
};

const found = (sql: string) => unfilteredWrites(sql).length;

describe('an UPDATE or DELETE', () => {
  it('without a WHERE of its own is found wherever it stands, and no other is', () => {
    assert(
      property(
        parts,
        constantFrom(...Object.keys(STATEMENTS)),
        constantFrom(...Object.keys(PLACES)),
        (some, how, where) => {
          const sql = PLACES[where]?.(STATEMENTS[how]?.(write(some)) ?? '') ?? '';
          expect([where, how, sql, found(sql)]).toEqual([where, how, sql, some.filter === '' ? 1 : 0]);
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each(Object.keys(ROWS))('is found in %s', (where) => {
    for (const filter of ['', 'where true'])
      for (const text of ['delete from t', 'update t set b = 1 from u']) {
        const sql = ROWS[where]?.(`${text} ${filter} returning 1`) ?? '';
        expect([sql, found(sql)]).toEqual([sql, filter === '' ? 1 : 0]);
      }
  });

  it('is found in a text that is put together from pieces', () => {
    assert(
      property(
        parts,
        array(nat(200), { minLength: 1, maxLength: 5 }),
        constantFrom('||', 'concat'),
        (some, cuts, how) => {
          const text = write(some);
          const ends = [...cuts.map((cut) => cut % text.length), text.length].sort((a, b) => a - b);
          const pieces = ends.map((end, at) => quoted(text.slice(ends[at - 1] ?? 0, end)));
          const joined = how === '||' ? pieces.join(' || ') : `pg_catalog.concat(${pieces.join(', ')})`;
          const sql = lines(`execute ${joined};`);
          expect([sql, found(sql)]).toEqual([sql, some.filter === '' ? 1 : 0]);
        },
      ),
    );
  });

  it.each([
    ['a name', `execute format('delete from stark_internal.%I', p)`, 1],
    ['a name, filtered', `execute format('delete from stark_internal.%I where a = %L', p, p)`, 0],
    ['a name by position', `execute format('update %2$I.%1$I set b = $1', p, p) using 1`, 1],
    ['columns', `execute format('update t set b = 1, %s', p)`, 1],
    ['columns, filtered', `execute format('update t set b = 1, %s where true returning *', string_agg(p, ', '))`, 0],
    ['its end, unknown', `execute format('delete from t %s', p)`, 1],
    ['its condition, unknown', `execute 'delete from t where ' || p`, 0],
    ['a quoted name', `execute 'delete from ' || quote_ident(p)`, 1],
    ['a quoted value', `execute concat_ws(' ', 'delete from t where a =', quote_literal(p))`, 0],
    ['no write', `execute format('create trigger x after update on stark.%I execute function stark.%s()', p, p)`, 0],
    ['no write that can be told', `execute p`, 1],
    ['no write that can be told in a text', `execute format('%s', p)`, 1],
    ['a statement in a statement, unknown', `execute 'with d as (' || p || ') select 1'`, 1],
  ])('in a text with %s', (_what, statement, wanted) => {
    const sql = lines(`${statement};`);
    expect([unfilteredWrites(sql), found(sql)]).toEqual([unfilteredWrites(sql), wanted]);
  });

  // As eradman/pg-safeupdate 1.4 answered each on Postgres 15; hosted projects load it for the role authenticator.
  it.each([
    ['merge into t using u on t.id = u.id when matched then delete', 0],
    ['merge into t using u on t.id = u.id when matched then update set b = 1', 0],
    ['insert into t values (1, 1) on conflict (id) do update set b = 2', 0],
    ['truncate t', 0],
    ['select * from t for update', 0],
    ['select * from t for no key update', 0],
    ['create trigger x before update or delete on t for each row execute function f()', 0],
    ['create policy p on t for update using (true)', 0],
    ['grant update, delete on t to public', 0],
    ['with d as (delete from t where true returning *) update t set b = 1', 1],
    ['with d as (delete from t returning *) update t set b = 1 where true', 1],
    ['with d as (delete from t returning *) update t set b = 1', 2],
    ['update t set (b, c) = (select 1, 2 where true)', 1],
    ['delete from t using u join v on u.id = v.id', 1],
  ])('%s: %i', (sql, wanted) => {
    expect(unfilteredWrites(sql)).toHaveLength(wanted);
  });

  it('is named with its command and table', () => {
    expect(unfilteredWrites(lines('delete from pg_temp.a; update b.c x set d = 1; execute p;'))).toEqual([
      'DELETE of pg_temp.a without WHERE',
      'UPDATE of b.c without WHERE',
      'EXECUTE of a text that cannot be read: p',
    ]);
  });
});

describe('a WHERE that is taken out of a text', () => {
  it('is missed, whichever it is', () => {
    assert(
      property(
        parts,
        constantFrom(...Object.keys(STATEMENTS)),
        constantFrom(...Object.keys(PLACES)),
        (some, how, where) => {
          const sql = PLACES[where]?.(STATEMENTS[how]?.(write(some)) ?? '') ?? '';
          const all = withoutEachWhere(sql);
          expect([sql, all.length]).toEqual([sql, writesOf(sql).length]);
          for (const without of all.filter((text) => text !== undefined))
            expect([without, found(without)]).toEqual([without, found(sql) + 1]);
        },
      ),
      { numRuns: 300 },
    );
  });
});
