-- Files that say what should be: the objects of a project, written in one transaction, or told what would become of them.
--
-- What is remembered of each object is what the last apply stated of it. So a field that was stated and is not any more is removed, and what
-- nobody stated is left alone: the three ways of kubectl apply. Objects of one project are a set, of which what is stated no more can be
-- pruned. All that is done to an object is done by the function that does it for everybody, with the rights that it asks for.

create table stark_internal.applied_objects (
  kind text not null,
  scope text not null,
  name text not null,
  project text,
  stated jsonb not null,
  object_id text,
  applied_by uuid references stark.profiles (id) on delete set null,
  applied_at timestamptz not null default now(),
  primary key (kind, scope, name),
  constraint what_is_stated_has_at_most_32_levels check (not stark_internal.is_deep(stated))
);
create index applied_objects_project_idx on stark_internal.applied_objects (project) where project is not null;
create index applied_objects_applied_by_idx on stark_internal.applied_objects (applied_by);
comment on table stark_internal.applied_objects is 'What the last apply stated of each object, env and config too, and the project whose set it is in. Goes with the object.';
comment on column stark_internal.applied_objects.scope is 'Namespace of the object, owner of a join token, empty for all else.';
comment on column stark_internal.applied_objects.object_id is 'Of a join token, which has no name of its own.';
alter table stark_internal.applied_objects enable row level security;
create policy "nobody reads what was applied" on stark_internal.applied_objects for select to authenticated using (false);

/** stark_internal.forget_applied(kind, scope column, name columns …): statement trigger; what was applied to an object goes with it, so that one of the same name made later is another one. */
create function stark_internal.forget_applied()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  if exists (select from stark_internal.applied_objects a where a.kind = tg_argv[0]) then
    delete from stark_internal.applied_objects a
      using (select coalesce(to_jsonb(o) ->> tg_argv[1], '') as scope,
                    concat_ws('/', to_jsonb(o) ->> tg_argv[2], to_jsonb(o) ->> tg_argv[3]) as name from old_rows o) g
      where a.kind = tg_argv[0] and a.scope = g.scope and a.name = g.name;
  end if;
  return null;
end;
$$;
comment on function stark_internal.forget_applied() is 'Forgets what was applied to objects that are gone.';
revoke all on function stark_internal.forget_applied() from public, anon;

do $$
declare
  v_table record;
begin
  for v_table in
    select * from (values ('namespaces', $s$'namespace', '', 'name', ''$s$), ('priority_classes', $s$'priorityclass', '', 'name', ''$s$), ('roles', $s$'role', '', 'name', ''$s$),
                          ('role_bindings', $s$'rolebinding', 'namespace', 'user_id', 'role'$s$), ('packs', $s$'pack', '', 'name', ''$s$),
                          ('deployments', $s$'deployment', 'namespace', 'name', ''$s$), ('pods', $s$'pod', 'namespace', 'name', ''$s$)) t (name, arguments)
  loop
    execute format('create trigger _820_forget_applied after delete on stark.%I referencing old table as old_rows
      for each statement execute function stark_internal.forget_applied(%s)', v_table.name, v_table.arguments);
  end loop;
end;
$$;

-- Three ways ------------------------------------------------------------------------------------------------------------

/** stark_internal.removal(stated, present) -> the merge patch that takes away what was stated: null for all of it where nothing else would be left, an empty object where nothing is there. */
create function stark_internal.removal(p_stated jsonb, p_present jsonb)
returns jsonb
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_patch jsonb;
begin
  if jsonb_typeof(p_stated) is distinct from 'object' or jsonb_typeof(p_present) is distinct from 'object' then
    return 'null';
  end if;
  select jsonb_object_agg(s.key, r.patch) filter (where r.patch <> '{}') into v_patch
    from jsonb_each(p_stated) s cross join lateral (select stark_internal.removal(s.value, p_present -> s.key)) r (patch)
    where p_present ? s.key;
  if not exists (select from jsonb_object_keys(p_present) k where v_patch -> k is distinct from 'null') then
    return 'null';
  end if;
  return coalesce(v_patch, '{}');
end;
$$;
comment on function stark_internal.removal(jsonb, jsonb) is 'The merge patch that takes away what was stated.';
revoke all on function stark_internal.removal(jsonb, jsonb) from public, anon;

/**
 * stark_internal.three_way_patch(before, stated, present) -> the merge patch (RFC 7396) that makes of what is present what is stated, without
 * what was stated before and is not now; what neither named is left alone. Lists are replaced whole. Empty where nothing is to be done.
 */
create function stark_internal.three_way_patch(p_before jsonb, p_stated jsonb, p_present jsonb)
returns jsonb
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  return coalesce((
    select jsonb_object_agg(f.key, f.patch)
    from (
      select s.key, case when jsonb_typeof(s.value) = 'object' and jsonb_typeof(p_present -> s.key) = 'object'
          then stark_internal.three_way_patch(case jsonb_typeof(p_before -> s.key) when 'object' then p_before -> s.key else '{}' end, s.value, p_present -> s.key) else s.value end as patch,
        (jsonb_typeof(s.value) = 'object' and jsonb_typeof(p_present -> s.key) = 'object') is true as is_merged
      from jsonb_each(p_stated) s where s.value is distinct from p_present -> s.key
      union all
      select b.key, stark_internal.removal(b.value, p_present -> b.key), true
      from jsonb_each(p_before) b where p_present ? b.key and not p_stated ? b.key) f
    where not f.is_merged or f.patch <> '{}'), '{}');
end;
$$;
comment on function stark_internal.three_way_patch(jsonb, jsonb, jsonb) is 'The merge patch from what is present to what is stated.';
revoke all on function stark_internal.three_way_patch(jsonb, jsonb, jsonb) from public, anon;

/**
 * stark_internal.patched_fields(patch, present, path) -> each field that a merge patch changes, with its value before and after, null where there is none.
 * What stands in env and config is not told, nor is it where both are the same.
 */
create function stark_internal.patched_fields(p_patch jsonb, p_present jsonb, p_path text[] default '{}')
returns table (path text[], before jsonb, after jsonb)
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_field record;
  v_present jsonb;
begin
  for v_field in select e.key, e.value from jsonb_each(p_patch) e order by e.key loop
    v_present := case jsonb_typeof(p_present) when 'object' then p_present -> v_field.key end;
    if jsonb_typeof(v_field.value) = 'object' and v_field.value <> '{}' then
      return query select * from stark_internal.patched_fields(v_field.value, v_present, p_path || v_field.key);
    else
      path := p_path || v_field.key;
      before := nullif(v_present, 'null');
      after := nullif(v_field.value, 'null');
      if array_to_string(path[1:3], '.') ~ '^(template\.)?spec\.(env|config)' then
        before := case when before is not null then '"(secret)"'::jsonb end;
        after := case when after is not null then '"(secret)"'::jsonb end;
      end if;
      return next;
    end if;
  end loop;
end;
$$;
comment on function stark_internal.patched_fields(jsonb, jsonb, text[]) is 'The fields that a merge patch changes.';
revoke all on function stark_internal.patched_fields(jsonb, jsonb, text[]) from public, anon;

/** stark_internal.flat_patch(patch, present) -> a merge patch of one level that does what one of several levels does to what is present. */
create function stark_internal.flat_patch(p_patch jsonb, p_present jsonb)
returns jsonb
language sql
immutable
set search_path = pg_temp
as $$
  select coalesce((
    select jsonb_object_agg(k, coalesce(stark_internal.merge_deep(p_present, case when p_patch = 'null' then '{}' else p_patch end) -> k, 'null'))
      filter (where p_patch <> 'null') from jsonb_object_keys(case when p_patch = 'null' then '{}' else p_patch end) k),
    (select jsonb_object_agg(k, 'null'::jsonb) from jsonb_object_keys(p_present) k where p_patch = 'null'), '{}');
$$;
comment on function stark_internal.flat_patch(jsonb, jsonb) is 'A merge patch of one level.';
revoke all on function stark_internal.flat_patch(jsonb, jsonb) from public, anon;

-- What is stated ----------------------------------------------------------------------------------------------------------

create type stark_internal.stated_object as (ordinal integer, rank integer, kind text, scope text, name text, stated jsonb);
comment on type stark_internal.stated_object is 'An object that an apply states. rank: before which others it is written.';

create type stark_internal.planned_object as (
  kind text, scope text, name text, stated jsonb, present jsonb, before jsonb, action text, patch jsonb, object_id text, project text, may_update boolean, bundle jsonb);
comment on type stark_internal.planned_object is 'What is to be done to an object: what is present, what was stated before, and the patch between.';

/** stark_internal.object_kinds() -> the kinds of objects in the order in which they are written, and what rights call each. */
create function stark_internal.object_kinds()
returns table (kind text, rank integer, rights text, is_pruned boolean)
language sql
immutable
set search_path = pg_temp
as $$
  values ('namespace', 1, 'namespaces', false), ('priorityclass', 2, 'priorityclasses', true), ('role', 3, 'roles', true), ('rolebinding', 4, 'roles', true),
    ('pack', 5, 'packs', true), ('clusterconfig', 6, 'settings', false), ('deployment', 7, 'deployments', true), ('pod', 8, 'pods', true), ('jointoken', 9, 'nodes', true);
$$;
comment on function stark_internal.object_kinds() is 'Kinds of objects that can be applied.';
revoke all on function stark_internal.object_kinds() from public, anon;

/** stark_internal.object_fields() -> the fields of each kind but deployments, which say for themselves; of what type each is, and whether it must be there. */
create function stark_internal.object_fields()
returns table (kind text, field text, type text, is_required boolean)
language sql
immutable
set search_path = pg_temp
as $$
  values ('namespace', 'name', 'string', true), ('namespace', 'labels', 'object', false), ('namespace', 'quota', 'object', false), ('namespace', 'limitRange', 'object', false),
    ('priorityclass', 'name', 'string', true), ('priorityclass', 'value', 'whole', true), ('priorityclass', 'globalDefault', 'boolean', false),
    ('priorityclass', 'preemptionPolicy', 'string', false), ('priorityclass', 'description', 'string', false),
    ('role', 'name', 'string', true), ('role', 'permissions', 'strings', true), ('role', 'description', 'string', false),
    ('rolebinding', 'user', 'string', true), ('rolebinding', 'role', 'string', true), ('rolebinding', 'namespace', 'string', false),
    ('pack', 'name', 'string', true), ('pack', 'visibility', 'string', false), ('pack', 'description', 'string', false), ('pack', 'bundle', 'object', false),
    ('pod', 'name', 'string', true), ('pod', 'namespace', 'string', false), ('pod', 'pack', 'string', true), ('pod', 'version', 'string', false), ('pod', 'labels', 'object', false),
    ('pod', 'annotations', 'object', false), ('pod', 'priority', 'whole', false), ('pod', 'spec', 'object', false),
    ('jointoken', 'name', 'string', true), ('jointoken', 'ttl', 'whole', false), ('jointoken', 'uses', 'whole', false), ('jointoken', 'labels', 'object', false),
    ('jointoken', 'taints', 'array', false), ('jointoken', 'accepts', 'string', false), ('jointoken', 'acceptedNamespaces', 'strings', false),
    ('bundle', 'version', 'string', true), ('bundle', 'runtime', 'string', true), ('bundle', 'entry', 'string', false), ('bundle', 'sizeBytes', 'whole', true),
    ('bundle', 'sha256', 'string', true), ('bundle', 'assetsSizeBytes', 'whole', false), ('bundle', 'assetsSha256', 'string', false), ('bundle', 'ports', 'array', false);
$$;
comment on function stark_internal.object_fields() is 'The fields of objects that can be applied.';
revoke all on function stark_internal.object_fields() from public, anon;

/** stark_internal.fields_problem(kind, object) -> what is wrong with the fields of an object, null when nothing is. */
create function stark_internal.fields_problem(p_kind text, p_object jsonb)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_field text := stark_internal.unknown_field(p_object, array(select f.field from stark_internal.object_fields() f where f.kind = p_kind));
  v_type text;
begin
  if v_field is not null then
    return format('a %s has no field %s', p_kind, v_field);
  end if;
  select f.field into v_field from stark_internal.object_fields() f where f.kind = p_kind and f.is_required and not p_object ? f.field limit 1;
  if found then
    return format('a %s needs %s', p_kind, v_field);
  end if;
  select f.field, f.type into v_field, v_type
    from stark_internal.object_fields() f
    where f.kind = p_kind and p_object ? f.field and not coalesce(case f.type
      when 'whole' then stark_internal.is_whole(p_object -> f.field, 0, 2147483647)
      when 'strings' then jsonb_typeof(p_object -> f.field) = 'array' and jsonb_array_length(p_object -> f.field) <= 200
        and not exists (select from jsonb_array_elements(case jsonb_typeof(p_object -> f.field) when 'array' then p_object -> f.field else '[]' end) e where jsonb_typeof(e) <> 'string')
      else jsonb_typeof(p_object -> f.field) = f.type end, false)
    limit 1;
  if found then
    return format('%s must be %s', v_field, case v_type when 'whole' then 'a whole number from 0' when 'strings' then 'a list of at most 200 strings' when 'array' then 'a list' when 'object' then 'an object'
      when 'boolean' then 'true or false' else 'a string' end);
  end if;
  return null;
end;
$$;
comment on function stark_internal.fields_problem(text, jsonb) is 'What is wrong with the fields of an object; null when nothing is.';
revoke all on function stark_internal.fields_problem(text, jsonb) from public, anon;

/** stark_internal.stated_spec_problem(spec) -> what is wrong with the spec of a pod that is stated, as far as it can be told before its version is known. */
create function stark_internal.stated_spec_problem(p_spec jsonb)
returns text
language sql
immutable
set search_path = pg_temp
as $$
  -- Probes may name ports that the version declares.
  select stark_internal.spec_problem(stark_internal.without_nulls(case when p_spec ? 'ports' then p_spec else p_spec - '{startupProbe,readinessProbe,livenessProbe}'::text[] end))
    where jsonb_typeof(p_spec) = 'object';
$$;
comment on function stark_internal.stated_spec_problem(jsonb) is 'What is wrong with a stated spec; null when nothing is.';
revoke all on function stark_internal.stated_spec_problem(jsonb) from public, anon;

/** stark_internal.setting_name(field) -> the column of cluster_config that a field in camelCase is. */
create function stark_internal.setting_name(p_field text)
returns text
language sql
immutable
set search_path = pg_temp
as $$
  select lower(regexp_replace(p_field, '([A-Z])', '_\1', 'g'));
$$;
comment on function stark_internal.setting_name(text) is 'The column of a setting in camelCase.';
revoke all on function stark_internal.setting_name(text) from public, anon;

/** stark_internal.settings_of(config) -> settings in camelCase, as files write them. */
create function stark_internal.settings_of(p_config stark.cluster_config)
returns jsonb
language sql
immutable
set search_path = pg_temp
as $$
  select jsonb_object_agg(
    (select string_agg(case when w.ord = 1 then w.word else initcap(w.word) end, '' order by w.ord) from regexp_split_to_table(e.key, '_') with ordinality w (word, ord)), e.value)
  from jsonb_each(to_jsonb(p_config) - '{name,updated_at,resource_version}'::text[]) e;
$$;
comment on function stark_internal.settings_of(stark.cluster_config) is 'Settings in camelCase.';
revoke all on function stark_internal.settings_of(stark.cluster_config) from public, anon;

/** stark_internal.setting_defaults() -> what each setting is when nobody says, in camelCase; from the defaults of the columns. */
create function stark_internal.setting_defaults()
returns jsonb
language sql
stable
set search_path = pg_temp
as $$
  select stark_internal.settings_of(jsonb_populate_record(null::stark.cluster_config, jsonb_object_agg(a.attname, coalesce(
    to_jsonb(substring(pg_catalog.pg_get_expr(d.adbin, d.adrelid) from '^''(.*)''::text$')),
    case when pg_catalog.pg_get_expr(d.adbin, d.adrelid) ~ '^(true|false|-?\d+)$' then pg_catalog.pg_get_expr(d.adbin, d.adrelid)::jsonb end))))
  from pg_catalog.pg_attribute a join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attrelid = 'stark.cluster_config'::regclass;
$$;
comment on function stark_internal.setting_defaults() is 'The defaults of all settings.';
revoke all on function stark_internal.setting_defaults() from public, anon;

/** stark_internal.stated_problem(kind, object) -> {code, problem} of an object that is stated, no row when nothing is wrong with its shape. Its rules are those of the functions that write it. */
create function stark_internal.stated_problem(p_kind text, p_object jsonb, out code text, out problem text)
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_settings jsonb;
begin
  code := 'INVALID_ARGUMENT';
  if p_kind = 'deployment' then
    problem := stark_internal.deployment_problem(p_object);
  elsif p_kind = 'clusterconfig' then
    select stark_internal.settings_of(c) into v_settings from stark.cluster_config c;
    select format('a clusterconfig has no field %s', to_json(left(e.key, 80))) into problem from jsonb_each(p_object) e where not v_settings ? e.key limit 1;
    if problem is null then
      select format('%s cannot be %s', e.key, left(e.value::text, 80)) into problem from jsonb_each(p_object) e where jsonb_typeof(e.value) <> jsonb_typeof(v_settings -> e.key) limit 1;
    end if;
  else
    problem := stark_internal.fields_problem(p_kind, p_object);
    if p_kind = 'pack' and problem is null and p_object ? 'bundle' then
      problem := stark_internal.fields_problem('bundle', p_object -> 'bundle');
    end if;
  end if;
  if problem is not null or p_kind = 'clusterconfig' then
    return;
  end if;
  if p_kind in ('deployment', 'pod') then
    code := 'INVALID_LABELS';
    problem := coalesce(stark_internal.labels_problem(coalesce(p_object -> 'labels', '{}')), stark_internal.labels_problem(coalesce(p_object #> '{template,labels}', '{}')));
    if problem is null then
      code := 'INVALID_SPEC';
      problem := stark_internal.stated_spec_problem(coalesce(case p_kind when 'pod' then p_object -> 'spec' else p_object #> '{template,spec}' end, '{}'));
    end if;
  elsif p_kind = 'namespace' then
    problem := coalesce(stark_internal.quota_problem(coalesce(p_object -> 'quota', '{}')), stark_internal.limit_range_problem(coalesce(p_object -> 'limitRange', '{}')));
    if problem is null then
      code := 'INVALID_LABELS';
      problem := stark_internal.labels_problem(coalesce(p_object -> 'labels', '{}'));
    end if;
  end if;
  if problem is null and p_kind <> 'rolebinding' and not (case p_kind when 'pack' then stark_internal.is_pack_name(p_object ->> 'name') else stark_internal.is_dns_label(p_object ->> 'name') end) then
    code := 'INVALID_NAME';
    problem := format('%s is no name for a %s', coalesce(to_json(left(p_object ->> 'name', 80))::text, 'null'), p_kind);
  end if;
end;
$$;
comment on function stark_internal.stated_problem(text, jsonb) is 'What is wrong with the shape of an object that is stated.';
revoke all on function stark_internal.stated_problem(text, jsonb) from public, anon;

/**
 * stark_internal.read_stated(objects) -> the objects of a call, checked as far as the call alone tells, in the order in which they are written.
 * Raises INVALID_ARGUMENT, INVALID_NAME, INVALID_LABELS, INVALID_SPEC, LIMIT_EXCEEDED, USER_NOT_FOUND.
 */
create function stark_internal.read_stated(p_objects jsonb)
returns stark_internal.stated_object[]
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_objects stark_internal.stated_object[] := '{}';
  v_one record;
  v_object jsonb;
  v_bad record;
  v_user uuid;
  v_default text := (select c.default_namespace from stark.cluster_config c);
begin
  if jsonb_typeof(p_objects) is distinct from 'array' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'p_objects must be a list of objects', 'give [{"kind": "namespace", "name": "team-a"}]');
  elsif jsonb_array_length(p_objects) > stark_internal.call_limit('objects') then
    perform stark_internal.fail('LIMIT_EXCEEDED', format('%s objects in one call, at most %s', jsonb_array_length(p_objects), stark_internal.call_limit('objects')), 'share them out to several projects');
  end if;
  for v_one in select e.value, e.ordinality from jsonb_array_elements(p_objects) with ordinality e loop
    if jsonb_typeof(v_one.value) <> 'object' or jsonb_typeof(v_one.value -> 'kind') is distinct from 'string'
       or not exists (select from stark_internal.object_kinds() k where k.kind = v_one.value ->> 'kind') then
      perform stark_internal.fail('INVALID_ARGUMENT', format('object %s: kind must be one of %s', v_one.ordinality, (select string_agg(k.kind, ', ' order by k.kind) from stark_internal.object_kinds() k)),
        'give {"kind": "namespace", "name": "team-a"}');
    end if;
    v_object := stark_internal.without_nulls(v_one.value - 'kind');
    v_bad := stark_internal.stated_problem(v_one.value ->> 'kind', v_object);
    if v_bad.problem is not null then
      perform stark_internal.fail(v_bad.code, format('object %s: %s', concat_ws(' ', v_one.ordinality, v_one.value ->> 'kind', left(v_object ->> 'name', 80)), v_bad.problem), 'docs/apply.md has the fields of each kind');
    end if;
    if v_one.value ->> 'kind' = 'rolebinding' then
      v_user := case when stark_internal.is_uuid(v_object ->> 'user') then (v_object ->> 'user')::uuid else (
        select u.id from stark.profiles u where lower(u.email) = lower(v_object ->> 'user') and (u.id = (select auth.uid()) or stark_internal.has_permission('users:get'))) end;
      if v_user is null then
        perform stark_internal.fail('USER_NOT_FOUND', format('no user %s', to_json(left(v_object ->> 'user', 80))), 'stark auth list-users');
      end if;
      v_object := v_object || jsonb_build_object('user', v_user);
    elsif v_one.value ->> 'kind' = 'role' then
      -- As they are read back: each once, in order.
      v_object := v_object || jsonb_build_object('permissions', (
        select coalesce(jsonb_agg(distinct regexp_replace(p.permission, ':any$', '')), '[]') from jsonb_array_elements_text(v_object -> 'permissions') p (permission)));
    elsif v_one.value ->> 'kind' in ('deployment', 'pod') and not v_object ? 'namespace' then
      v_object := v_object || jsonb_build_object('namespace', v_default);
    end if;
    v_objects := v_objects || (
      select (v_one.ordinality, k.rank, k.kind,
        case k.kind when 'deployment' then v_object ->> 'namespace' when 'pod' then v_object ->> 'namespace' when 'rolebinding' then coalesce(v_object ->> 'namespace', '')
          when 'jointoken' then coalesce((select auth.uid())::text, '') else '' end,
        case k.kind when 'rolebinding' then v_user || '/' || (v_object ->> 'role') when 'clusterconfig' then 'cluster' else v_object ->> 'name' end,
        v_object)::stark_internal.stated_object
      from stark_internal.object_kinds() k where k.kind = v_one.value ->> 'kind');
  end loop;
  select o.kind, o.name into v_bad from unnest(v_objects) o group by o.kind, o.scope, o.name having count(*) > 1 limit 1;
  if found then
    perform stark_internal.fail('INVALID_ARGUMENT', format('%s %s is stated twice', v_bad.kind, v_bad.name), 'leave one of the two out');
  end if;
  if (select count(*) from unnest(v_objects) o where o.kind = 'pod') > stark_internal.call_limit('pods') then
    perform stark_internal.fail('LIMIT_EXCEEDED', format('more than %s pods in one call', stark_internal.call_limit('pods')), 'make them deployments, or share them out to several projects');
  end if;
  return array(select o from unnest(v_objects) o order by o.rank, o.ordinal);
end;
$$;
comment on function stark_internal.read_stated(jsonb) is 'The objects of a call, checked.';
revoke all on function stark_internal.read_stated(jsonb) from public, anon;

-- What is present ---------------------------------------------------------------------------------------------------------

/** stark_internal.comparable(kind, stated) -> what of a stated object can be compared with what is present: all but its name and what is said once. */
create function stark_internal.comparable(p_kind text, p_stated jsonb)
returns jsonb
language sql
immutable
set search_path = pg_temp
as $$
  select case p_kind
    when 'rolebinding' then '{}'
    when 'pack' then jsonb_strip_nulls(p_stated - '{name,bundle}'::text[] || jsonb_build_object('version', p_stated #> '{bundle,version}'))
    else jsonb_strip_nulls(p_stated - '{name,namespace,changeCause}'::text[]) end;
$$;
comment on function stark_internal.comparable(text, jsonb) is 'What of a stated object can be compared.';
revoke all on function stark_internal.comparable(text, jsonb) from public, anon;

/** stark_internal.refuse_other_bytes(stated, version): passes unless this version is registered with another bundle than the stated one. Raises VERSION_EXISTS. */
create function stark_internal.refuse_other_bytes(p_stated jsonb, p_version stark.pack_versions)
returns void
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_bundle jsonb := p_stated -> 'bundle';
begin
  if (p_version.sha256, p_version.assets_sha256, p_version.runtime, p_version.entry)
     is distinct from (lower(v_bundle ->> 'sha256'), lower(v_bundle ->> 'assetsSha256'), case v_bundle ->> 'runtime' when 'universal' then 'isomorphic' else v_bundle ->> 'runtime' end, coalesce(v_bundle ->> 'entry', 'default')) then
    perform stark_internal.fail('VERSION_EXISTS', format('%s@%s is registered already, with other bytes', p_stated ->> 'name', p_version.version), 'raise the version in its package.json, then stark apply');
  end if;
end;
$$;
comment on function stark_internal.refuse_other_bytes(jsonb, stark.pack_versions) is 'Raises a coded error when a version has other bytes.';
revoke all on function stark_internal.refuse_other_bytes(jsonb, stark.pack_versions) from public, anon;

/**
 * stark_internal.present_object(kind, scope, name, stated, before, object_id) -> what is present of an object as it would be stated, null where there is none that
 * the caller may see, and whether it is the caller's own. Of env and config that somebody else gave nothing is told to who may not read them,
 * and nothing that would let them be guessed: who states them needs pods:read-env. Raises FORBIDDEN, VERSION_EXISTS.
 */
create function stark_internal.present_object(p_kind text, p_scope text, p_name text, p_stated jsonb, p_before jsonb, p_object_id text, out present jsonb, out is_own boolean)
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_user uuid := (select auth.uid());
  v_deployment stark.deployments;
  v_revision stark.deployment_revisions;
  v_secrets jsonb;
  v_pod stark.pods;
  v_pack stark.packs;
  v_version stark.pack_versions;
  v_spec text[] := case p_kind when 'deployment' then '{template,spec}' else '{spec}' end::text[];
  v_is_hidden boolean := false;
begin
  is_own := false;
  case p_kind
    when 'namespace' then
      select jsonb_build_object('labels', n.labels, 'quota', n.quota, 'limitRange', n.limit_range) into present
        from stark.namespaces n where n.name = p_name and stark_internal.has_permission('namespaces:get', n.name);
    when 'priorityclass' then
      select jsonb_build_object('value', c.value, 'globalDefault', c.global_default, 'preemptionPolicy', c.preemption_policy, 'description', c.description) into present
        from stark.priority_classes c where c.name = p_name and stark_internal.is_member();
    when 'role' then
      select jsonb_build_object('description', r.description, 'permissions', (
          select coalesce(jsonb_agg(distinct q.permission), '[]')
          from (select concat_ws(':', m.kind, m.verb, nullif(m.scope, 'any')) as permission from stark.role_permissions m where m.role = r.name) q)) into present
        from stark.roles r where r.name = p_name and stark_internal.is_member();
    when 'rolebinding' then
      select '{}' into present from stark.role_bindings b
        where b.user_id = split_part(p_name, '/', 1)::uuid and b.role = split_part(p_name, '/', 2) and coalesce(b.namespace, '') = p_scope
          and (b.user_id = v_user or stark_internal.has_permission('roles:get'));
    when 'clusterconfig' then
      select stark_internal.settings_of(c) into present from stark.cluster_config c where stark_internal.is_member();
    when 'pack' then
      select * into v_pack from stark.packs p
        where p.name = p_name and (stark_internal.has_permission('packs:get', null, p.owner_id is not distinct from v_user) or (p.visibility = 'public' and stark_internal.is_member()))
          -- One of which nothing was ever finished was only announced.
          and exists (select from stark.pack_versions v where v.pack_id = p.id and v.state <> 'uploading');
      if found then
        is_own := v_pack.owner_id is not distinct from v_user;
        present := jsonb_build_object('visibility', v_pack.visibility, 'description', coalesce(v_pack.description, ''));
        select * into v_version from stark.pack_versions v where v.pack_id = v_pack.id and v.version = p_stated #>> '{bundle,version}' and v.state <> 'uploading';
        if found then
          perform stark_internal.refuse_other_bytes(p_stated, v_version);
          present := present || jsonb_build_object('version', v_version.version);
        end if;
      end if;
    when 'deployment' then
      select * into v_deployment from stark.deployments d
        where d.namespace = p_scope and d.name = p_name and stark_internal.has_permission('deployments:get', d.namespace, coalesce(d.created_by = v_user, false));
      if found then
        is_own := coalesce(v_deployment.created_by = v_user, false);
        select * into v_revision from stark.deployment_revisions r where r.deployment_id = v_deployment.id and r.revision = v_deployment.revision;
        select s.secrets into v_secrets from stark_internal.revision_secrets s where s.deployment_id = v_deployment.id and s.revision = v_deployment.revision;
        v_is_hidden := v_secrets <> '{}' and v_revision.created_by is distinct from v_user;
        present := jsonb_strip_nulls(stark_internal.manifest_of(v_deployment)) || jsonb_build_object('pack', v_deployment.pack_name, 'version', v_revision.version);
      end if;
    when 'pod' then
      select * into v_pod from stark.pods p
        where p.namespace = p_scope and p.name = p_name and stark_internal.has_permission('pods:get', p.namespace, coalesce(p.created_by = v_user, false));
      if found then
        is_own := coalesce(v_pod.created_by = v_user, false);
        select jsonb_strip_nulls(jsonb_build_object('env', e.env, 'config', e.config)) into v_secrets from stark.pod_env e where e.pod_id = v_pod.id;
        v_is_hidden := coalesce(v_secrets, '{}') <> '{}' and not is_own;
        present := jsonb_build_object('pack', v_pod.pack_name, 'version', v_pod.version, 'labels', v_pod.labels, 'annotations', v_pod.annotations, 'priority', v_pod.priority,
          'spec', v_pod.spec || coalesce(v_secrets, '{}'));
      end if;
    when 'jointoken' then
      select jsonb_strip_nulls(jsonb_build_object('labels', t.labels, 'taints', t.taints, 'uses', t.max_uses, 'accepts', t.accepts, 'acceptedNamespaces', to_jsonb(t.accepted_namespaces),
          'ttl', p_before -> 'ttl')) into present
        from stark.join_tokens t
        where t.id = p_object_id and t.owner_id = v_user and t.revoked_at is null and t.uses < t.max_uses and t.expires_at > now();
      is_own := true;
  end case;
  if v_is_hidden and not stark_internal.has_permission('pods:read-env', p_scope) then
    if (p_stated #> v_spec ?| array['env', 'config']) is true or (p_before #> v_spec ?| array['env', 'config']) is true then
      perform stark_internal.require_permission('pods:read-env', p_scope);
    end if;
    present := present #- array_append(v_spec, 'env') #- array_append(v_spec, 'config');
  end if;
end;
$$;
comment on function stark_internal.present_object(text, text, text, jsonb, jsonb, text) is 'What is present of an object, as it would be stated.';
revoke all on function stark_internal.present_object(text, text, text, jsonb, jsonb, text) from public, anon;

-- What is to be done --------------------------------------------------------------------------------------------------------

/** stark_internal.object_permission(kind, verb) -> the permission that doing this to an object of a kind takes. */
create function stark_internal.object_permission(p_kind text, p_verb text)
returns text
language sql
immutable
set search_path = pg_temp
as $$
  -- A token is made and taken back by who may do both.
  select k.rights || ':' || case when k.kind = 'jointoken' then 'delete' else p_verb end from stark_internal.object_kinds() k where k.kind = p_kind;
$$;
comment on function stark_internal.object_permission(text, text) is 'The permission that doing this to an object takes.';
revoke all on function stark_internal.object_permission(text, text) from public, anon;

/** stark_internal.default_fields(kind) -> what fields of an object are that nobody states, as far as they are the same for all of its kind. */
create function stark_internal.default_fields(p_kind text)
returns jsonb
language sql
stable
set search_path = pg_temp
as $$
  select case p_kind
    when 'priorityclass' then '{"globalDefault": false, "preemptionPolicy": "PreemptLowerPriority", "description": ""}'
    when 'role' then '{"description": ""}'
    when 'pack' then '{"visibility": "private", "description": ""}'
    when 'clusterconfig' then stark_internal.setting_defaults()
    when 'deployment' then (select jsonb_object_agg(f.field, f.default_value) from stark_internal.deployment_fields() f)
    else '{}' end;
$$;
comment on function stark_internal.default_fields(text) is 'Fields of an object that nobody states.';
revoke all on function stark_internal.default_fields(text) from public, anon;

/** stark_internal.patch_of(kind, before, stated, present) -> the merge patch that an object of a kind takes to be as stated, empty when it is. */
create function stark_internal.patch_of(p_kind text, p_before jsonb, p_stated jsonb, p_present jsonb)
returns jsonb
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_patch jsonb := stark_internal.three_way_patch(p_before, p_stated, p_present);
  v_defaults jsonb := stark_internal.default_fields(p_kind);
  v_class text[] := '{template,spec,priorityClassName}';
begin
  -- What is not stated any more and is as it would be without that is left.
  v_patch := v_patch - array(select e.key from jsonb_each(v_patch) e where e.value = 'null' and p_present -> e.key = v_defaults -> e.key);
  if p_kind in ('clusterconfig', 'priorityclass', 'role', 'pack') then
    select coalesce(jsonb_object_agg(e.key, case e.value when 'null' then v_defaults -> e.key else e.value end), '{}') into v_patch
      from jsonb_each(v_patch) e where e.value <> 'null' or v_defaults ? e.key;
  elsif p_kind = 'deployment' then
    -- What was stated once and is not now stays where it is until another one is stated.
    v_patch := v_patch - array(select e.key from jsonb_each(v_patch) e where e.key = 'version' and e.value = 'null');
    if p_stated ? 'version' and not p_stated ? 'followLatest' and coalesce(p_present -> 'followLatest', 'false') <> 'false' then
      v_patch := v_patch || '{"followLatest": false}';
    end if;
    -- A class brings a priority and perhaps a policy of its own, which stand beside it from then on.
    if v_patch #> v_class is not null then
      if p_stated #> '{template,priority}' is null then
        v_patch := jsonb_set(v_patch, '{template,priority}', 'null');
      end if;
      if p_stated #> '{template,spec,preemptionPolicy}' is null and p_present #> '{template,spec,preemptionPolicy}' is not null then
        v_patch := jsonb_set(v_patch, '{template,spec,preemptionPolicy}', 'null');
      end if;
    end if;
  end if;
  return v_patch;
end;
$$;
comment on function stark_internal.patch_of(text, jsonb, jsonb, jsonb) is 'The merge patch that an object takes to be as stated.';
revoke all on function stark_internal.patch_of(text, jsonb, jsonb, jsonb) from public, anon;

/**
 * stark_internal.plan_object(object, project, take_over) -> what is to be done to make an object as it is stated, when the caller may do that.
 * Raises FORBIDDEN, FIELD_IMMUTABLE, PROJECT_CONFLICT, DEPLOYMENT_TERMINATING, PACK_NOT_FOUND, and what present_object raises.
 */
create function stark_internal.plan_object(p_object stark_internal.stated_object, p_project text, p_take_over boolean)
returns stark_internal.planned_object
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_plan stark_internal.planned_object;
  v_applied stark_internal.applied_objects;
  v_found record;
  v_where text := nullif(case when p_object.kind in ('deployment', 'pod', 'rolebinding') then p_object.scope when p_object.kind = 'namespace' then p_object.name end, '');
  v_fields text;
begin
  select * into v_applied from stark_internal.applied_objects a where a.kind = p_object.kind and a.scope = p_object.scope and a.name = p_object.name;
  v_found := stark_internal.present_object(p_object.kind, p_object.scope, p_object.name, p_object.stated, v_applied.stated, v_applied.object_id);
  v_plan := row(p_object.kind, p_object.scope, p_object.name, p_object.stated, v_found.present, coalesce(v_applied.stated, '{}'), null, '{}'::jsonb,
    v_applied.object_id, coalesce(p_project, v_applied.project), true, p_object.stated -> 'bundle');
  if v_found.present is null then
    v_plan.action := 'created';
    v_plan.before := '{}';
    if p_object.kind = 'pack' and not p_object.stated ? 'bundle' then
      perform stark_internal.fail('PACK_NOT_FOUND', format('no pack %s', p_object.name), 'name its source, or stark pack list');
    elsif p_object.kind = 'namespace' then
      v_where := null;
    end if;
    -- In stark-system a right to own objects alone is not enough.
    perform stark_internal.require_permission(stark_internal.object_permission(p_object.kind, 'create'), v_where, p_object.kind in ('pack', 'jointoken', 'deployment', 'pod') and v_where is distinct from 'stark-system');
    if p_object.kind in ('deployment', 'jointoken') then
      perform stark_internal.require_permission(case p_object.kind when 'deployment' then 'pods:create' else 'nodes:create' end, v_where, v_where is distinct from 'stark-system');
    end if;
    return v_plan;
  end if;
  -- Namespaces, classes and roles are changed by who may change all of them.
  if p_object.kind = 'namespace' then
    v_where := null;
  end if;
  v_plan.may_update := stark_internal.has_permission(stark_internal.object_permission(p_object.kind, case p_object.kind when 'rolebinding' then 'create' else 'update' end), v_where, v_found.is_own);
  -- What another project stated of an object is nothing to who may not change it.
  if not v_plan.may_update and v_applied.project is distinct from p_project then
    v_plan.before := '{}';
  end if;
  v_plan.patch := stark_internal.patch_of(p_object.kind, stark_internal.comparable(p_object.kind, v_plan.before), stark_internal.comparable(p_object.kind, p_object.stated), v_found.present);
  v_plan.action := case v_plan.patch when '{}' then 'unchanged' else 'changed' end;
  if v_plan.action = 'changed' then
    select string_agg(array_to_string(f.path, '.'), ', ') into v_fields from stark_internal.patched_fields(v_plan.patch, v_found.present) f
      where p_object.kind = 'pod' or f.path[1] = any (case p_object.kind when 'priorityclass' then '{value,preemptionPolicy}' when 'deployment' then '{pack}' else '{}' end::text[]);
    if v_fields is not null then
      perform stark_internal.fail('FIELD_IMMUTABLE', format('%s %s is there with another %s, which never changes', p_object.kind, p_object.name, v_fields),
        format('stark delete %s/%s%s, or choose another name', p_object.kind, p_object.name, case when v_where is not null then ' -n ' || v_where else '' end));
    end if;
    perform stark_internal.require_permission(stark_internal.object_permission(p_object.kind, 'update'), v_where, v_found.is_own);
  end if;
  if v_plan.may_update and v_applied.project <> p_project and not p_take_over then
    perform stark_internal.fail('PROJECT_CONFLICT', format('%s %s belongs to project %s', p_object.kind, p_object.name, v_applied.project), 'take it out of one of the two, or stark apply --take-over');
  end if;
  if p_object.kind = 'deployment' and exists (select from stark.deployments d where d.namespace = p_object.scope and d.name = p_object.name and d.deletion_requested_at is not null) then
    perform stark_internal.fail('DEPLOYMENT_TERMINATING', format('deployment %s is being deleted', p_object.name), format('stark wait deployment/%s -n %s --for delete', p_object.name, p_object.scope));
  end if;
  return v_plan;
end;
$$;
comment on function stark_internal.plan_object(stark_internal.stated_object, text, boolean) is 'What is to be done to make an object as it is stated.';
revoke all on function stark_internal.plan_object(stark_internal.stated_object, text, boolean) from public, anon;

/**
 * stark_internal.plan_removal(kind, scope, name, stated, object_id) -> what is to be done to remove an object: deleted, kept where it is in use or always is, absent. Raises FORBIDDEN.
 */
create function stark_internal.plan_removal(p_kind text, p_scope text, p_name text, p_object_id text)
returns stark_internal.planned_object
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_found record := stark_internal.present_object(p_kind, p_scope, p_name, '{}', '{}', p_object_id);
  v_plan stark_internal.planned_object := row(p_kind, p_scope, p_name, null, v_found.present, null, null, '{}'::jsonb, p_object_id, null, true, null);
begin
  if v_found.present is null then
    v_plan.action := 'absent';
  elsif p_kind = 'clusterconfig' or (p_kind = 'pack' and exists (
      select from stark.packs p where p.name = p_name and (exists (select from stark.pods d where d.pack_id = p.id and d.finished_at is null) or exists (select from stark.deployments d where d.pack_id = p.id)))) then
    v_plan.action := 'kept';
  else
    perform stark_internal.require_permission(stark_internal.object_permission(p_kind, 'delete'), case when p_kind in ('deployment', 'pod', 'rolebinding') then nullif(p_scope, '') end, v_found.is_own);
    v_plan.action := 'deleted';
  end if;
  return v_plan;
end;
$$;
comment on function stark_internal.plan_removal(text, text, text, text) is 'What is to be done to remove an object.';
revoke all on function stark_internal.plan_removal(text, text, text, text) from public, anon;

/** stark_internal.plan_prune(project, objects) -> what is to be removed of a project's set: what is not stated, and that the caller may see. Namespaces and settings never are. Raises FORBIDDEN. */
create function stark_internal.plan_prune(p_project text, p_objects stark_internal.stated_object[])
returns stark_internal.planned_object[]
language sql
stable
set search_path = pg_temp
as $$
  select coalesce(array_agg(r order by k.rank desc, a.scope, a.name) filter (where r.action <> 'absent'), '{}')
  from stark_internal.applied_objects a join stark_internal.object_kinds() k on k.kind = a.kind and k.is_pruned
  cross join lateral stark_internal.plan_removal(a.kind, a.scope, a.name, a.object_id) r
  where a.project = p_project and not exists (select from unnest(p_objects) o where o.kind = a.kind and o.scope = a.scope and o.name = a.name);
$$;
comment on function stark_internal.plan_prune(text, stark_internal.stated_object[]) is 'What is to be removed of a project''s set.';
revoke all on function stark_internal.plan_prune(text, stark_internal.stated_object[]) from public, anon;

/** stark_internal.plans_digest(plans) -> a sum over what is stated and what was present: the same where nothing has changed. Without packs, which are announced between two looks. */
create function stark_internal.plans_digest(p_plans stark_internal.planned_object[])
returns text
language sql
immutable
set search_path = pg_temp
as $$
  select md5(coalesce(string_agg(concat_ws('|', p.kind, p.scope, p.name, md5(coalesce(p.stated::text, '')), md5(coalesce(p.present::text, '')), md5(coalesce(p.before::text, ''))), chr(10)
    order by p.kind, p.scope, p.name), '')) from unnest(p_plans) p where p.kind <> 'pack';
$$;
comment on function stark_internal.plans_digest(stark_internal.planned_object[]) is 'A sum over what is stated and what was present.';
revoke all on function stark_internal.plans_digest(stark_internal.planned_object[]) from public, anon;

-- Doing it ------------------------------------------------------------------------------------------------------------------

/**
 * stark_internal.write_bundle(plan, dry_run): makes the announced version of a pack ready. In a dry run it is announced here, and taken for uploaded: what
 * is rolled back has no file in Storage. Raises BUNDLE_MISSING and what register_pack_version and finish_pack_version raise.
 */
create function stark_internal.write_bundle(p_plan stark_internal.planned_object, p_dry_run boolean)
returns void
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_bundle jsonb := p_plan.bundle;
  v_id uuid;
begin
  if p_dry_run then
    v_id := (stark.register_pack_version(p_plan.name, v_bundle ->> 'version', v_bundle ->> 'runtime', coalesce(v_bundle ->> 'entry', 'default'), p_size_bytes => (v_bundle ->> 'sizeBytes')::bigint,
      p_sha256 => v_bundle ->> 'sha256', p_assets_size_bytes => (v_bundle ->> 'assetsSizeBytes')::bigint, p_assets_sha256 => v_bundle ->> 'assetsSha256', p_ports => coalesce(v_bundle -> 'ports', '[]')) ->> 'version_id')::uuid;
    update stark.pack_versions v set state = 'ready', ready_at = now() where v.id = v_id;
    update stark.packs p set latest_version = stark_internal.latest_version(p.id) where p.name = p_plan.name;
    return;
  end if;
  select v.id into v_id from stark.pack_versions v join stark.packs p on p.id = v.pack_id
    where p.name = p_plan.name and v.version = v_bundle ->> 'version' and v.state = 'uploading' and v.sha256 = lower(v_bundle ->> 'sha256')
      and v.assets_sha256 is not distinct from lower(v_bundle ->> 'assetsSha256') and stark_internal.has_permission('packs:update', null, p.owner_id is not distinct from (select auth.uid()));
  if not found then
    perform stark_internal.fail('BUNDLE_MISSING', format('the bundle of %s@%s was not announced', p_plan.name, v_bundle ->> 'version'), 'stark apply, which uploads it first');
  end if;
  perform stark.finish_pack_version(v_id);
end;
$$;
comment on function stark_internal.write_bundle(stark_internal.planned_object, boolean) is 'Makes the announced version of a pack ready.';
revoke all on function stark_internal.write_bundle(stark_internal.planned_object, boolean) from public, anon;

/** stark_internal.write_object(plan, dry_run) -> what is told once of what was made, {id, token} of a join token. All but pods, by the functions that everybody calls. Raises what they raise. */
create function stark_internal.write_object(p_plan stark_internal.planned_object, p_dry_run boolean)
returns jsonb
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_new jsonb := p_plan.stated;
  v_patch jsonb := p_plan.patch;
  v_is_new boolean := p_plan.action = 'created';
begin
  case p_plan.kind
    when 'namespace' then
      if v_is_new then
        perform stark.create_namespace(p_plan.name, coalesce(v_new -> 'labels', '{}'), coalesce(v_new -> 'quota', '{}'), coalesce(v_new -> 'limitRange', '{}'));
      else
        perform stark.update_namespace(p_plan.name, stark_internal.flat_patch(v_patch -> 'labels', p_plan.present -> 'labels'), stark_internal.flat_patch(v_patch -> 'quota', p_plan.present -> 'quota'),
          stark_internal.flat_patch(v_patch -> 'limitRange', p_plan.present -> 'limitRange'));
      end if;
    when 'priorityclass' then
      if v_is_new then
        perform stark.create_priority_class(p_plan.name, (v_new ->> 'value')::integer, coalesce((v_new ->> 'globalDefault')::boolean, false), coalesce(v_new ->> 'preemptionPolicy', 'PreemptLowerPriority'), coalesce(v_new ->> 'description', ''));
      else
        perform stark.update_priority_class(p_plan.name, (v_patch ->> 'globalDefault')::boolean, v_patch ->> 'description');
      end if;
    when 'role' then
      if v_is_new then
        perform stark.create_role(p_plan.name, array(select jsonb_array_elements_text(v_new -> 'permissions')), coalesce(v_new ->> 'description', ''));
      else
        perform stark.update_role(p_plan.name, case when v_patch ? 'permissions' then array(select jsonb_array_elements_text(v_patch -> 'permissions')) end, v_patch ->> 'description');
      end if;
    when 'rolebinding' then
      perform stark.grant_role((v_new ->> 'user')::uuid, v_new ->> 'role', v_new ->> 'namespace');
    when 'pack' then
      if v_is_new or v_patch ? 'version' then
        perform stark_internal.write_bundle(p_plan, p_dry_run);
      end if;
      v_patch := case when v_is_new then v_new else v_patch end;
      if v_patch ?| array['visibility', 'description'] then
        perform stark.update_pack(p_plan.name, v_patch ->> 'visibility', v_patch ->> 'description');
      end if;
    when 'clusterconfig' then
      perform stark.update_cluster_config((select jsonb_object_agg(stark_internal.setting_name(e.key), e.value) from jsonb_each(v_patch) e));
    when 'deployment' then
      if v_is_new then
        perform stark.create_deployment(v_new);
      else
        perform stark.update_deployment(p_plan.scope, p_plan.name, v_patch || jsonb_strip_nulls(jsonb_build_object('changeCause', v_new -> 'changeCause')));
      end if;
    when 'jointoken' then
      if not v_is_new then
        perform stark.revoke_join_token(p_plan.object_id);
      end if;
      return stark.create_join_token(coalesce((v_new ->> 'ttl')::integer, 3600), coalesce(v_new -> 'labels', '{}'), coalesce(v_new -> 'taints', '[]'), coalesce((v_new ->> 'uses')::integer, 1), v_new ->> 'accepts',
        case when v_new ? 'acceptedNamespaces' then array(select jsonb_array_elements_text(v_new -> 'acceptedNamespaces')) end);
    else
      null;
  end case;
  return null;
end;
$$;
comment on function stark_internal.write_object(stark_internal.planned_object, boolean) is 'Makes an object as it is stated.';
revoke all on function stark_internal.write_object(stark_internal.planned_object, boolean) from public, anon;

/** stark_internal.write_pods(plans): makes the pods that are stated, in calls of create_pods that are small enough. Raises what that raises. */
create function stark_internal.write_pods(p_plans stark_internal.planned_object[])
returns void
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_call jsonb;
begin
  -- Those with rules about other pods go alone, since each call takes few of these.
  for v_call in
    select jsonb_agg(n.stated order by n.name)
    from (
      select p.name, p.stated, p.stated -> 'spec' ?| array['affinity', 'tolerations', 'topologySpreadConstraints'] as is_alone,
        row_number() over (partition by coalesce(p.stated -> 'spec' ?| array['affinity', 'tolerations', 'topologySpreadConstraints'], false) order by p.scope, p.name)
          / case when p.stated -> 'spec' ?| array['affinity', 'tolerations', 'topologySpreadConstraints'] then 1 else 40 end as portion,
        octet_length(p.stated::text) > 8192 as is_large, p.scope
      from unnest(p_plans) p where p.kind = 'pod' and p.action = 'created') n
    group by n.is_alone, n.portion, case when n.is_large then n.scope || '/' || n.name end
  loop
    perform stark.create_pods(v_call);
  end loop;
end;
$$;
comment on function stark_internal.write_pods(stark_internal.planned_object[]) is 'Makes the pods that are stated.';
revoke all on function stark_internal.write_pods(stark_internal.planned_object[]) from public, anon;

/** stark_internal.remove_object(plan): removes an object by the function that everybody calls. Raises what that raises. */
create function stark_internal.remove_object(p_plan stark_internal.planned_object)
returns void
language plpgsql
set search_path = pg_temp
set jit = off
as $$
begin
  case p_plan.kind
    when 'namespace' then perform stark.delete_namespace(p_plan.name);
    when 'priorityclass' then perform stark.delete_priority_class(p_plan.name);
    when 'role' then perform stark.delete_role(p_plan.name);
    when 'rolebinding' then perform stark.revoke_role(split_part(p_plan.name, '/', 1)::uuid, split_part(p_plan.name, '/', 2), nullif(p_plan.scope, ''));
    when 'pack' then perform stark.delete_pack(p_plan.name);
    when 'deployment' then perform stark.delete_deployment(p_plan.scope, p_plan.name);
    when 'pod' then perform stark.delete_pods(array(select p.id from stark.pods p where p.namespace = p_plan.scope and p.name = p_plan.name));
    when 'jointoken' then
      perform stark.revoke_join_token(p_plan.object_id);
      delete from stark_internal.applied_objects a where a.kind = p_plan.kind and a.scope = p_plan.scope and a.name = p_plan.name;
    else null;
  end case;
end;
$$;
comment on function stark_internal.remove_object(stark_internal.planned_object) is 'Removes an object.';
revoke all on function stark_internal.remove_object(stark_internal.planned_object) from public, anon;

/** stark_internal.told_plan(plan) -> what an answer says of what is done to an object. */
create function stark_internal.told_plan(p_plan stark_internal.planned_object)
returns jsonb
language sql
immutable
set search_path = pg_temp
as $$
  select jsonb_build_object('kind', p_plan.kind, 'namespace', case when p_plan.kind in ('deployment', 'pod', 'rolebinding') then nullif(p_plan.scope, '') end, 'name', p_plan.name, 'action', p_plan.action,
    'fields', coalesce((select jsonb_agg(jsonb_build_object('path', f.path, 'before', f.before, 'after', f.after)) from stark_internal.patched_fields(p_plan.patch, p_plan.present) f), '[]'));
$$;
comment on function stark_internal.told_plan(stark_internal.planned_object) is 'What is told of what is done to an object.';
revoke all on function stark_internal.told_plan(stark_internal.planned_object) from public, anon;

/** stark_internal.require_digest(plans, digest): passes unless the caller has seen another state than there is. Raises CONFLICT. */
create function stark_internal.require_digest(p_plans stark_internal.planned_object[], p_digest text)
returns void
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  if p_digest is not null and p_digest <> stark_internal.plans_digest(p_plans) then
    perform stark_internal.fail('CONFLICT', 'something has changed since this was looked at', 'stark diff shows it as it is now');
  end if;
end;
$$;
comment on function stark_internal.require_digest(stark_internal.planned_object[], text) is 'Raises CONFLICT when something has changed.';
revoke all on function stark_internal.require_digest(stark_internal.planned_object[], text) from public, anon;

/**
 * stark_internal.write_plans(plans, removals, project, dry_run) -> {tokens, placements, rollouts, deferred}: does what is planned, has the controller look at it,
 * and tells what became of it; how many deployments it looks at soon after is deferred. The cluster lock is held.
 */
create function stark_internal.write_plans(p_plans stark_internal.planned_object[], p_removals stark_internal.planned_object[], p_project text, p_dry_run boolean)
returns jsonb
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_plan stark_internal.planned_object;
  v_told jsonb;
  v_tokens jsonb := '[]';
  v_revisions jsonb;
  v_known uuid[];
  v_late integer;
  v_seqscan text := pg_catalog.current_setting('enable_seqscan');
begin
  select coalesce(jsonb_object_agg(d.namespace || '/' || d.name, jsonb_build_object('revision', r.revision, 'version', r.version)), '{}') into v_revisions
    from unnest(p_plans) p join stark.deployments d on d.namespace = p.scope and d.name = p.name join stark.deployment_revisions r on r.deployment_id = d.id and r.revision = d.revision
    where p.kind = 'deployment';
  v_known := array(select o.id from unnest(p_plans) p join stark.deployments d on d.namespace = p.scope and d.name = p.name join stark.pods o on o.deployment_id = d.id where p.kind = 'deployment');
  -- One look of the controller for all, at the end. Until then objects are looked up one by one, in tables that may have grown by hundreds since
  -- Postgres counted them: from small ones it would read every row each time.
  perform pg_catalog.set_config('stark.defer_notes', 'yes', true), pg_catalog.set_config('enable_seqscan', 'off', true);
  foreach v_plan in array p_plans loop
    if v_plan.action in ('created', 'changed') then
      v_told := stark_internal.write_object(v_plan, p_dry_run);
      if v_plan.kind = 'jointoken' then
        v_tokens := v_tokens || jsonb_build_object('name', v_plan.name, 'token', v_told -> 'token', 'expires_at', v_told -> 'expires_at');
        insert into stark_internal.applied_objects as a (kind, scope, name, project, stated, object_id, applied_by)
          values (v_plan.kind, v_plan.scope, v_plan.name, v_plan.project, v_plan.stated, v_told ->> 'id', (select auth.uid()))
          on conflict (kind, scope, name) do update set object_id = excluded.object_id;
      end if;
    end if;
  end loop;
  perform stark_internal.write_pods(p_plans);
  foreach v_plan in array p_removals loop
    if v_plan.action = 'deleted' then
      perform stark_internal.remove_object(v_plan);
    end if;
  end loop;
  perform pg_catalog.set_config('stark.defer_notes', '', true), pg_catalog.set_config('enable_seqscan', v_seqscan, true);
  -- As many as one call looks at, the others are due at once.
  with late as (
    delete from stark_internal.deployments_to_reconcile n
      using (select o.deployment_id, row_number() over (order by p.ordinality nulls first, o.deployment_id) as place
             from stark_internal.deployments_to_reconcile o join stark.deployments d on d.id = o.deployment_id
             left join unnest(p_plans) with ordinality p on p.kind = 'deployment' and p.scope = d.namespace and p.name = d.name) w
      where n.deployment_id = w.deployment_id and w.place > stark_internal.call_limit('deployments_looked_at_at_once') returning n.deployment_id)
  update stark.deployments d set next_reconcile_at = least(d.next_reconcile_at, d.reconciled_at, stark_internal.controller_time()) from late l where d.id = l.deployment_id;
  get diagnostics v_late = row_count;
  perform stark_internal.work_off_notes();
  -- Who may not change an object does not say whose it is, nor what was stated of it.
  insert into stark_internal.applied_objects as a (kind, scope, name, project, stated, object_id, applied_by)
    select p.kind, p.scope, p.name, p.project, p.stated - 'bundle' || jsonb_strip_nulls(jsonb_build_object('bundle', jsonb_build_object('version', p.bundle -> 'version'))), p.object_id, (select auth.uid())
    from unnest(p_plans) p where p.may_update
    on conflict (kind, scope, name) do update set project = excluded.project, stated = excluded.stated, applied_by = excluded.applied_by, applied_at = now()
      where (a.project, a.stated) is distinct from (excluded.project, excluded.stated);
  return jsonb_build_object(
    'tokens', v_tokens,
    'deferred', v_late,
    'placements', coalesce((
      select jsonb_agg(jsonb_build_object('kind', g.kind, 'namespace', g.namespace, 'name', g.name, 'node', g.node_name, 'pods', g.pods, 'status', g.status, 'message', g.message)
        order by g.kind, g.namespace, g.name, g.node_name, g.message)
      from (
        select n.kind, n.namespace, n.name, n.node_name, n.message, n.status, count(*) as pods
        from (
          select 'deployment' as kind, d.namespace, d.name, o.node_name, o.status, coalesce(o.status_message, o.status_reason) as message
          from unnest(p_plans) p join stark.deployments d on d.namespace = p.scope and d.name = p.name join stark.pods o on o.deployment_id = d.id
          where p.kind = 'deployment' and o.id <> all (v_known)
          union all
          select 'pod', o.namespace, o.name, o.node_name, o.status, coalesce(o.status_message, o.status_reason)
          from unnest(p_plans) p join stark.pods o on o.namespace = p.scope and o.name = p.name where p.kind = 'pod' and p.action = 'created') n
        group by n.kind, n.namespace, n.name, n.node_name, n.status, n.message) g), '[]'),
    'rollouts', coalesce((
      select jsonb_agg(jsonb_build_object('namespace', d.namespace, 'name', d.name, 'from_revision', b.was -> 'revision', 'to_revision', r.revision, 'from_version', b.was -> 'version', 'to_version', r.version)
        order by d.namespace, d.name)
      from unnest(p_plans) p join stark.deployments d on d.namespace = p.scope and d.name = p.name join stark.deployment_revisions r on r.deployment_id = d.id and r.revision = d.revision
      cross join lateral (select v_revisions -> (d.namespace || '/' || d.name)) b (was)
      where p.kind = 'deployment' and (b.was ->> 'revision')::bigint is distinct from r.revision), '[]'));
end;
$$;
comment on function stark_internal.write_plans(stark_internal.planned_object[], stark_internal.planned_object[], text, boolean) is 'Does what is planned, and tells what became of it.';
revoke all on function stark_internal.write_plans(stark_internal.planned_object[], stark_internal.planned_object[], text, boolean) from public, anon;

/**
 * stark_internal.refuse_concurrent(seen, plans): passes unless an object that is to be written is not as it was before the cluster lock was waited for:
 * of two at once one wins, and the other hears of it. Raises CONFLICT.
 */
create function stark_internal.refuse_concurrent(p_seen stark_internal.planned_object[], p_plans stark_internal.planned_object[])
returns void
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_plan record;
begin
  select n.kind, n.name into v_plan from unnest(p_seen) with ordinality s join unnest(p_plans) with ordinality n using (ordinality)
    where n.action <> 'unchanged' and (s.present, s.before) is distinct from (n.present, n.before) limit 1;
  if found then
    perform stark_internal.fail('CONFLICT', format('somebody else has changed %s %s at this moment', v_plan.kind, v_plan.name), 'stark diff shows it as it is now');
  end if;
end;
$$;
comment on function stark_internal.refuse_concurrent(stark_internal.planned_object[], stark_internal.planned_object[]) is 'Raises CONFLICT when somebody else was first.';
revoke all on function stark_internal.refuse_concurrent(stark_internal.planned_object[], stark_internal.planned_object[]) from public, anon;

-- API -----------------------------------------------------------------------------------------------------------------------

/**
 * stark.apply_objects(objects, project, prune, dry_run, take_over, if_digest) -> {project, digest, members, changes: [{kind, namespace, name, action, fields}], placements,
 * rollouts, deferred, tokens}: makes objects as they are stated, all or none. objects: a list of {kind, name, …} with the fields of docs/apply.md; a pack has the
 * bundle of the version that was announced by register_pack_version and uploaded, {version, runtime, sizeBytes, sha256, …}, which is finished here. What the
 * last call stated of an object and this one does not is removed, what nobody stated is left alone. prune removes what is in the set of the project and not
 * stated, but no namespaces and no packs in use. dry_run does all of it and takes it back: announced bundles are taken for uploaded. if_digest: that of the
 * dry run that the caller saw. take_over: also objects of another project. At most 500 objects and 1 MB, of which 200 pods and 200 deployments that are made or changed.
 * Caller: what each object takes from everybody; pods:read-env where env or config is stated that somebody else gave before. Locks: the cluster lock. Example:
 *   select stark.apply_objects('[{"kind": "namespace", "name": "team-a"}]', 'shop', p_dry_run => true);
 * Raises: what the functions raise that write these objects, INVALID_ARGUMENT, INVALID_NAME, LIMIT_EXCEEDED, CONFLICT, FIELD_IMMUTABLE, PROJECT_CONFLICT, BUNDLE_MISSING,
 * VERSION_EXISTS.
 */
create function stark.apply_objects(p_objects jsonb, p_project text default null, p_prune boolean default false, p_dry_run boolean default false, p_take_over boolean default false, p_if_digest text default null)
returns jsonb
language plpgsql
security definer
set search_path = pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
as $$
declare
  v_objects stark_internal.stated_object[];
  v_seen stark_internal.planned_object[];
  v_plans stark_internal.planned_object[];
  v_removals stark_internal.planned_object[] := '{}';
  v_members bigint;
  v_digest text;
  v_told jsonb;
begin
  perform stark_internal.require_user();
  perform stark_internal.require_json('p_objects', p_objects, stark_internal.call_limit('object_bytes'));
  v_objects := stark_internal.read_stated(p_objects);
  if p_project is not null and not stark_internal.is_dns_label(p_project) then
    perform stark_internal.fail('INVALID_NAME', format('%s is no name for a project', to_json(left(p_project, 80))), 'use lower case letters, digits and -, at most 63');
  elsif p_prune and p_project is null then
    perform stark_internal.fail('INVALID_ARGUMENT', 'to prune takes the name of a project: what else would be removed', 'say name: in the file');
  end if;
  -- What is refused costs nobody the lock; what has changed meanwhile is seen under it.
  v_seen := array(select stark_internal.plan_object(v_objects[i], p_project, coalesce(p_take_over, false)) from generate_subscripts(v_objects, 1) i order by i);
  if (select count(*) from unnest(v_seen) p where p.kind = 'deployment' and p.action <> 'unchanged') > stark_internal.call_limit('deployments_written_at_once') then
    perform stark_internal.fail('LIMIT_EXCEEDED', format('more than %s deployments would be made or changed in one call', stark_internal.call_limit('deployments_written_at_once')), 'apply one file after the other');
  elsif p_prune then
    perform stark_internal.plan_prune(p_project, v_objects);
  end if;
  perform stark_internal.lock_cluster();
  v_plans := array(select stark_internal.plan_object(v_objects[i], p_project, coalesce(p_take_over, false)) from generate_subscripts(v_objects, 1) i order by i);
  perform stark_internal.refuse_concurrent(v_seen, v_plans);
  if p_prune then
    v_removals := stark_internal.plan_prune(p_project, v_objects);
  end if;
  -- Of the set, what the caller sees of it.
  v_members := cardinality(v_removals) + (
    select count(*) from unnest(v_objects) o join stark_internal.applied_objects a using (kind, scope, name) join stark_internal.object_kinds() k on k.kind = o.kind and k.is_pruned where a.project = p_project);
  v_digest := stark_internal.plans_digest(v_plans || v_removals);
  perform stark_internal.require_digest(v_plans || v_removals, p_if_digest);
  if p_dry_run then
    begin
      v_told := stark_internal.write_plans(v_plans, v_removals, p_project, true);
      raise sqlstate 'STDRY';
    exception when sqlstate 'STDRY' then
      -- All of it is taken back, but for what was told.
      null;
    end;
    v_told := v_told || '{"tokens": []}';
  else
    v_told := stark_internal.write_plans(v_plans, v_removals, p_project, false);
  end if;
  return jsonb_build_object('project', p_project, 'digest', v_digest, 'members', v_members,
    'changes', coalesce((select jsonb_agg(stark_internal.told_plan((v_plans || v_removals)[i]) order by i) from generate_subscripts(v_plans || v_removals, 1) i), '[]')) || v_told;
end;
$$;
comment on function stark.apply_objects(jsonb, text, boolean, boolean, boolean, text) is 'Makes objects as they are stated, all or none, or tells what would become of them.';
revoke all on function stark.apply_objects(jsonb, text, boolean, boolean, boolean, text) from public, anon;
grant execute on function stark.apply_objects(jsonb, text, boolean, boolean, boolean, text) to authenticated, service_role;

/**
 * stark.delete_objects(objects, dry_run, if_digest) -> {digest, changes: [{kind, namespace, name, action}]}: removes the objects that are stated, all or none; what is not there is absent,
 * settings and packs in use are kept. if_digest: that of the dry run that the caller saw.
 * Caller: what removing each object takes from everybody. Locks: the cluster lock.
 * Raises: what the functions raise that remove these objects, INVALID_ARGUMENT, INVALID_NAME, LIMIT_EXCEEDED, CONFLICT.
 */
create function stark.delete_objects(p_objects jsonb, p_dry_run boolean default false, p_if_digest text default null)
returns jsonb
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_objects stark_internal.stated_object[];
  v_removals stark_internal.planned_object[];
begin
  perform stark_internal.require_user();
  perform stark_internal.require_json('p_objects', p_objects, stark_internal.call_limit('object_bytes'));
  v_objects := stark_internal.read_stated(p_objects);
  perform stark_internal.plan_removal(o.kind, o.scope, o.name, a.object_id)
    from unnest(v_objects) o left join stark_internal.applied_objects a using (kind, scope, name);
  perform stark_internal.lock_cluster();
  v_removals := array(
    select stark_internal.plan_removal(o.kind, o.scope, o.name, a.object_id)
    from unnest(v_objects) with ordinality o left join stark_internal.applied_objects a using (kind, scope, name) order by o.ordinality desc);
  perform stark_internal.require_digest(v_removals, p_if_digest);
  if p_dry_run then
    begin
      perform stark_internal.write_plans('{}', v_removals, null, true);
      raise sqlstate 'STDRY';
    exception when sqlstate 'STDRY' then
      null;
    end;
  else
    perform stark_internal.write_plans('{}', v_removals, null, false);
  end if;
  return jsonb_build_object('digest', stark_internal.plans_digest(v_removals), 'changes', (
    select coalesce(jsonb_agg(stark_internal.told_plan(v_removals[i]) - 'fields' order by i), '[]') from generate_subscripts(v_removals, 1) i));
end;
$$;
comment on function stark.delete_objects(jsonb, boolean, text) is 'Removes the objects that are stated, all or none, or tells what would become of them.';
revoke all on function stark.delete_objects(jsonb, boolean, text) from public, anon;
grant execute on function stark.delete_objects(jsonb, boolean, text) to authenticated, service_role;
