-- Priority classes: named priorities. Users' pods have 0 to 1000; above that are the two of the platform itself.

create table stark.priority_classes (
  name text primary key,
  value integer not null,
  built_in boolean not null default false,
  global_default boolean not null default false,
  preemption_policy text not null default 'PreemptLowerPriority',
  description text not null default '',
  created_at timestamptz not null default now(),
  resource_version bigint not null default 1,
  constraint class_name_is_a_dns_label check (stark_internal.is_dns_label(name)),
  constraint value_is_from_0_to_1000_unless_of_the_system check (value between 0 and 1000 or (name like 'system-%' and built_in and value > 1000)),
  constraint system_class_is_built_in check (built_in or name not like 'system-%'),
  constraint preemption_policy_is_known check (preemption_policy in ('PreemptLowerPriority', 'Never')),
  constraint class_description_is_short check (length(description) <= 2000)
);
create unique index priority_classes_global_default_idx on stark.priority_classes (global_default) where global_default;
comment on table stark.priority_classes is 'Named priorities that pods refer to by priorityClassName.';
comment on column stark.priority_classes.name is 'Name, a DNS label; system- is the platform''s own.';
comment on column stark.priority_classes.value is 'Priority of its pods; higher is placed first.';
comment on column stark.priority_classes.built_in is 'Comes with Stark and cannot be deleted.';
comment on column stark.priority_classes.global_default is 'Pods that name neither class nor priority get this one.';
comment on column stark.priority_classes.preemption_policy is 'Whether its pods may push lower ones off a node: PreemptLowerPriority or Never.';
comment on column stark.priority_classes.description is 'What it is for.';
comment on column stark.priority_classes.resource_version is 'Grows with each change.';

create trigger _000_lock_cluster before insert or update or delete on stark.priority_classes
  for each statement execute function stark_internal.lock_cluster_first();
create trigger _100_bump_version before update on stark.priority_classes
  for each row when (old.* is distinct from new.*) execute function stark_internal.bump_version();

insert into stark.priority_classes (name, value, built_in, global_default, description) values
  ('system-node-critical', 2000001000, true, false, 'What a node itself cannot do without. Admins only.'),
  ('system-cluster-critical', 2000000000, true, false, 'What the cluster cannot do without. Admins only.'),
  ('high-priority', 1000, true, false, 'Placed before all else that users run.'),
  ('default', 100, true, true, 'What a pod has that asks for nothing.'),
  ('low-priority', 10, true, false, 'Makes room for everybody else.');

/**
 * stark.create_priority_class(name, value, global_default, preemption_policy, description) -> the class. A new global default
 * takes the place of the one before; pods that exist keep their priority. Caller: priorityclasses:create (admin).
 * Locks: the cluster lock. Raises: UNAUTHENTICATED, FORBIDDEN, INVALID_NAME, INVALID_ARGUMENT, PRIORITY_CLASS_EXISTS.
 */
create function stark.create_priority_class(
  p_name text,
  p_value integer,
  p_global_default boolean default false,
  p_preemption_policy text default 'PreemptLowerPriority',
  p_description text default ''
)
returns stark.priority_classes
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_class stark.priority_classes;
begin
  perform stark_internal.require_permission('priorityclasses:create');
  if not stark_internal.is_dns_label(p_name) or p_name like 'system-%' then
    perform stark_internal.fail('INVALID_NAME', format('%s is no name for a priority class', coalesce(to_json(left(p_name, 80))::text, 'null')),
      'use lower case letters, digits and -, not starting with system-');
  end if;
  if p_value is null or p_value not between 0 and 1000 then
    perform stark_internal.fail('INVALID_ARGUMENT', format('value must be from 0 to 1000, not %s', coalesce(p_value::text, 'null')), 'use --value 500');
  end if;
  if p_preemption_policy is null or p_preemption_policy not in ('PreemptLowerPriority', 'Never') then
    perform stark_internal.fail('INVALID_ARGUMENT', 'preemption_policy must be PreemptLowerPriority or Never', 'use --preemption-policy Never');
  end if;
  if p_description is null or length(p_description) > 2000 then
    perform stark_internal.fail('INVALID_ARGUMENT', 'description must be a text of at most 2000 characters', 'use a shorter --description');
  end if;
  perform stark_internal.lock_cluster();
  if exists (select from stark.priority_classes c where c.name = p_name) then
    perform stark_internal.fail('PRIORITY_CLASS_EXISTS', format('there is a priority class %s already', p_name), 'use another name');
  end if;
  if p_global_default then
    update stark.priority_classes c set global_default = false where c.global_default;
  end if;
  insert into stark.priority_classes (name, value, global_default, preemption_policy, description)
    values (p_name, p_value, coalesce(p_global_default, false), p_preemption_policy, p_description)
    returning * into v_class;
  return v_class;
end;
$$;
comment on function stark.create_priority_class(text, integer, boolean, text, text) is 'Makes a priority class.';
revoke all on function stark.create_priority_class(text, integer, boolean, text, text) from public, anon;
grant execute on function stark.create_priority_class(text, integer, boolean, text, text) to authenticated, service_role;

/**
 * stark_internal.require_priority_class(name, if_version) -> the class, when it is as the caller saw it. The cluster lock is held. Raises: PRIORITY_CLASS_NOT_FOUND, CONFLICT.
 */
create function stark_internal.require_priority_class(p_name text, p_if_version bigint)
returns stark.priority_classes
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
declare
  v_class stark.priority_classes;
begin
  select * into v_class from stark.priority_classes c where c.name = p_name;
  if not found then
    perform stark_internal.fail('PRIORITY_CLASS_NOT_FOUND', format('no priority class %s', coalesce(to_json(left(p_name, 80))::text, 'null')), 'stark priorityclass list');
  end if;
  perform stark_internal.require_version('priority class ' || p_name, p_if_version, v_class.resource_version);
  return v_class;
end;
$$;
comment on function stark_internal.require_priority_class(text, bigint) is 'The priority class of this name, when it is as the caller saw it.';
revoke all on function stark_internal.require_priority_class(text, bigint) from public, anon;

/**
 * stark.update_priority_class(name, global_default, description, if_version) -> the class; null leaves a field as it is. Value and
 * preemption policy never change, since pods have taken them: make another class. A new global default takes the place of the
 * one before; one that shall be it no longer leaves that to the built-in default. Of the built-in ones only which is the
 * default can change, and never to one of the system's.
 * Caller: priorityclasses:update (admin). Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, PRIORITY_CLASS_NOT_FOUND, PRIORITY_CLASS_RESERVED, INVALID_ARGUMENT, CONFLICT.
 */
create function stark.update_priority_class(p_name text, p_global_default boolean default null, p_description text default null, p_if_version bigint default null)
returns stark.priority_classes
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_class stark.priority_classes;
begin
  perform stark_internal.require_permission('priorityclasses:update');
  perform stark_internal.lock_cluster();
  v_class := stark_internal.require_priority_class(p_name, p_if_version);
  if (v_class.built_in and p_description is not null) or (v_class.value > 1000 and p_global_default) then
    perform stark_internal.fail('PRIORITY_CLASS_RESERVED', format('priority class %s is built in', p_name), 'stark priorityclass list');
  elsif length(p_description) > 2000 then
    perform stark_internal.fail('INVALID_ARGUMENT', 'description must be a text of at most 2000 characters', 'use a shorter --description');
  elsif p_name = 'default' and p_global_default = false then
    perform stark_internal.fail('INVALID_ARGUMENT', 'there is always a global default', 'make another class the global default');
  end if;
  if p_global_default is distinct from v_class.global_default and p_global_default is not null then
    update stark.priority_classes c set global_default = false where c.global_default;
    update stark.priority_classes c set global_default = true where c.name = case when p_global_default then p_name else 'default' end;
  end if;
  update stark.priority_classes c set description = p_description where c.name = p_name and c.description <> p_description;
  select * into v_class from stark.priority_classes c where c.name = p_name;
  return v_class;
end;
$$;
comment on function stark.update_priority_class(text, boolean, text, bigint) is 'Changes which priority class is the default, or what one is for.';
revoke all on function stark.update_priority_class(text, boolean, text, bigint) from public, anon;
grant execute on function stark.update_priority_class(text, boolean, text, bigint) to authenticated, service_role;

/**
 * stark.delete_priority_class(name, if_version) -> the class as it was. Its pods keep their priority; when it was the global
 * default, the built-in default is that again. Caller: priorityclasses:delete (admin). Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, PRIORITY_CLASS_NOT_FOUND, PRIORITY_CLASS_RESERVED, CONFLICT.
 */
create function stark.delete_priority_class(p_name text, p_if_version bigint default null)
returns stark.priority_classes
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_class stark.priority_classes;
begin
  perform stark_internal.require_permission('priorityclasses:delete');
  perform stark_internal.lock_cluster();
  v_class := stark_internal.require_priority_class(p_name, p_if_version);
  if v_class.built_in then
    perform stark_internal.fail('PRIORITY_CLASS_RESERVED', format('priority class %s is built in', p_name), 'stark priorityclass list');
  end if;
  delete from stark.priority_classes c where c.name = p_name;
  if v_class.global_default then
    update stark.priority_classes c set global_default = true where c.name = 'default';
  end if;
  return v_class;
end;
$$;
comment on function stark.delete_priority_class(text, bigint) is 'Removes a priority class; its pods stay as they are.';
revoke all on function stark.delete_priority_class(text, bigint) from public, anon;
grant execute on function stark.delete_priority_class(text, bigint) to authenticated, service_role;

alter table stark.priority_classes enable row level security;
create policy "members read priority classes" on stark.priority_classes for select to authenticated
  using ((select stark_internal.is_member()));
grant select on stark.priority_classes to authenticated, service_role;
