-- The last word on every function's search_path. Each is written with an empty one and full names; but types are written bare, and
-- Postgres looks for bare names of types and tables in pg_temp first, unless the path names pg_temp. A role that can make a temporary
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

-- What changes something, what is called from outside, and what says enable_nestloop = off is run without compiling its plans.
-- Postgres compiles a plan that looks dear, as those over working tables of unknown size do and those that are left no way but what
-- was switched off: seconds for a statement of milliseconds, while everybody waits for the cluster lock. Hosted projects have jit off;
-- an ordinary server with LLVM has it on.
do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid from pg_catalog.pg_proc p
    where p.prokind = 'f'
      and (p.pronamespace = 'stark'::regnamespace
           or (p.pronamespace = 'stark_internal'::regnamespace and (p.provolatile = 'v' or 'enable_nestloop=off' = any (p.proconfig))))
  loop
    execute format('alter function %s set jit = off', v_function);
  end loop;
end;
$$;
