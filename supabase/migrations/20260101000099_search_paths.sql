-- The last word on every function's search_path. Each is written with an empty one and full names; but types are written bare, and
-- Postgres looks for bare names of types and tables in pg_temp first, unless the path names pg_temp. Whoever can make a temporary
-- domain called text would have its check run by our functions, as their owner. Named here, pg_temp comes after pg_catalog, in
-- which every bare name is found. A migration behind this one has to say so itself; a guard test asks every function.

do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid from pg_catalog.pg_proc p where p.pronamespace in ('stark'::regnamespace, 'stark_internal'::regnamespace) and p.prokind = 'f'
  loop
    execute format('alter function %s set search_path = pg_temp', v_function);
  end loop;
end;
$$;
