-- Namespaces: a boundary of names and rights. Three always exist.

create table stark.namespaces (
  name text primary key,
  reserved boolean not null default false,
  labels jsonb not null default '{}',
  created_by uuid references stark.profiles (id) on delete set null,
  created_at timestamptz not null default now(),
  resource_version bigint not null default 1,
  constraint namespace_name_is_a_dns_label check (stark_internal.is_dns_label(name)),
  constraint namespace_labels_are_labels check (stark_internal.labels_problem(labels) is null)
);
create index namespaces_created_by_idx on stark.namespaces (created_by);
comment on table stark.namespaces is 'A boundary of names and rights for pods.';
comment on column stark.namespaces.name is 'Name, a DNS label.';
comment on column stark.namespaces.reserved is 'default, stark-system and stark-public: they always exist.';
comment on column stark.namespaces.labels is 'Labels.';
comment on column stark.namespaces.created_by is 'Who made it.';
comment on column stark.namespaces.resource_version is 'Grows with each change.';

create trigger _000_lock_cluster before insert or update or delete on stark.namespaces
  for each statement execute function stark_internal.lock_cluster_first();
create trigger _100_bump_version before update on stark.namespaces
  for each row when (old.* is distinct from new.*) execute function stark_internal.bump_version();

insert into stark.namespaces (name, reserved) values ('default', true), ('stark-system', true), ('stark-public', true);

alter table stark.role_bindings
  add constraint binding_names_a_namespace foreign key (namespace) references stark.namespaces (name) on delete cascade;
create index role_bindings_namespace_idx on stark.role_bindings (namespace);

/**
 * stark_internal.permitted_namespaces(permission, own) -> text[]: where the caller has the right. Policies compare a row's
 * namespace with it, so that it is worked out once a statement instead of once a row.
 */
create function stark_internal.permitted_namespaces(p_permission text, p_own boolean default false)
returns text[]
language sql
stable
security definer
set search_path = ''
as $$
  -- Definer: it reads every binding of the caller and tells only what the caller has.
  select case when stark_internal.has_permission(p_permission, null, p_own)
    then array(select n.name from stark.namespaces n)
    else array(
      select distinct b.namespace from stark.role_bindings b
      where b.user_id = (select auth.uid()) and b.namespace is not null
        and stark_internal.has_permission(p_permission, b.namespace, p_own))
  end;
$$;
comment on function stark_internal.permitted_namespaces(text, boolean) is 'The namespaces in which the caller has this right.';
revoke all on function stark_internal.permitted_namespaces(text, boolean) from public, anon;
grant execute on function stark_internal.permitted_namespaces(text, boolean) to authenticated;

/** stark_internal.require_namespace(name): passes or raises NAMESPACE_NOT_FOUND. */
create function stark_internal.require_namespace(p_name text)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  if not exists (select from stark.namespaces n where n.name = p_name) then
    perform stark_internal.fail('NAMESPACE_NOT_FOUND', format('no namespace %s', coalesce(to_json(left(p_name, 80))::text, 'null')), 'stark namespace list');
  end if;
end;
$$;
comment on function stark_internal.require_namespace(text) is 'Raises a coded error when there is no such namespace.';
revoke all on function stark_internal.require_namespace(text) from public, anon;

alter table stark.namespaces enable row level security;
create policy "members read the namespaces they have a right in" on stark.namespaces for select to authenticated
  using (name = any ((select stark_internal.permitted_namespaces('namespaces:get'))::text[]));
grant select on stark.namespaces to authenticated, service_role;
