-- The registry: packs, their immutable versions, and the bundles in Storage.
--
-- What holds a bundle to its SHA-256: the sum is part of the path it is uploaded to, so one that was announced with another sum
-- is not taken for this one; its size is compared with Storage when the version is finished; and every agent computes the sum
-- of what it has downloaded before it runs it, since SQL cannot read what is in Storage.

create table stark.packs (
  id uuid primary key default gen_random_uuid(),
  name text not null unique,
  owner_id uuid not null references stark.profiles (id),
  visibility text not null default 'private',
  description text,
  latest_version text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  resource_version bigint not null default 1,
  constraint pack_name_is_one_npm_would_take check (stark_internal.is_pack_name(name)),
  constraint visibility_is_known check (visibility in ('private', 'public')),
  constraint description_is_short check (length(description) <= 2000)
);
create index packs_owner_id_idx on stark.packs (owner_id);
comment on table stark.packs is 'A named piece of software with an owner.';
comment on column stark.packs.name is 'Name, by npm''s rule, unique in the cluster.';
comment on column stark.packs.owner_id is 'Who registered it first, and alone adds versions.';
comment on column stark.packs.visibility is 'private: runs on the owner''s nodes or an admin''s, for the owner or an admin. public: for everybody, anywhere.';
comment on column stark.packs.description is 'What it is.';
comment on column stark.packs.latest_version is 'Highest ready version in semver order, releases before pre-releases; null while none is ready.';
comment on column stark.packs.resource_version is 'Grows with each change.';

create table stark.pack_versions (
  id uuid primary key default gen_random_uuid(),
  pack_id uuid not null references stark.packs (id) on delete cascade,
  pack_name text not null,
  version text not null,
  version_key text collate "C" generated always as (stark_internal.semver_key(version)) stored,
  runtime text not null,
  entry text not null default 'default',
  state text not null default 'uploading',
  size_bytes bigint not null,
  sha256 text not null,
  bucket text not null default 'packs',
  path text not null,
  assets_size_bytes bigint,
  assets_sha256 text,
  assets_path text,
  ports jsonb not null default '[]',
  created_by uuid references stark.profiles (id) on delete set null,
  created_at timestamptz not null default now(),
  ready_at timestamptz,
  resource_version bigint not null default 1,
  constraint version_is_unique_in_its_pack unique (pack_id, version),
  constraint bundle_path_is_unique unique (bucket, path),
  constraint version_is_semver check (stark_internal.is_semver(version)),
  constraint runtime_is_known check (runtime in ('node', 'browser', 'isomorphic')),
  constraint entry_is_a_short_name check (entry ~ '^[A-Za-z_$][A-Za-z0-9_$]{0,127}$'),
  constraint state_is_known check (state in ('uploading', 'ready', 'withdrawn')),
  constraint ports_are_declarations check (stark_internal.ports_problem(ports) is null),
  constraint assets_path_is_unique unique (bucket, assets_path),
  constraint bundle_has_at_most_50_mb check (size_bytes between 1 and 52428800),
  constraint bundle_and_assets_have_at_most_50_mb check (size_bytes + assets_size_bytes <= 52428800),
  constraint sha256_is_64_hex_digits check (sha256 ~ '^[0-9a-f]{64}$'),
  constraint assets_are_whole_or_none check (num_nulls(assets_size_bytes, assets_sha256, assets_path) in (0, 3)),
  constraint assets_are_not_empty check (assets_size_bytes > 0),
  constraint assets_sha256_is_64_hex_digits check (assets_sha256 ~ '^[0-9a-f]{64}$'),
  constraint ready_version_has_a_time check (state = 'uploading' or ready_at is not null)
);
create index pack_versions_latest_idx on stark.pack_versions (pack_id, version_key desc) where state = 'ready';
create index pack_versions_created_by_idx on stark.pack_versions (created_by);
comment on table stark.pack_versions is 'One bundle of a pack: one ESM file, and perhaps an archive of files that it reads, of at most 50 MB together, immutable once ready.';
comment on column stark.pack_versions.pack_name is 'Name of the pack.';
comment on column stark.pack_versions.version is 'Version by semver.org 2.0.0.';
comment on column stark.pack_versions.version_key is 'Sorts as semver orders versions.';
comment on column stark.pack_versions.runtime is 'Where it runs: node, browser, or isomorphic for both.';
comment on column stark.pack_versions.entry is 'Name of the export that is called.';
comment on column stark.pack_versions.state is 'uploading, then ready, then perhaps withdrawn: no new pod gets it, those that run keep it.';
comment on column stark.pack_versions.size_bytes is 'Size of the bundle.';
comment on column stark.pack_versions.sha256 is 'SHA-256 of the bundle, hex; an agent runs nothing that differs.';
comment on column stark.pack_versions.bucket is 'Storage bucket of the bundle.';
comment on column stark.pack_versions.path is 'Path of the bundle in its bucket.';
comment on column stark.pack_versions.assets_size_bytes is 'Size of the archive of assets; null where there is none.';
comment on column stark.pack_versions.assets_sha256 is 'SHA-256 of the archive of assets, hex; an agent unpacks nothing that differs.';
comment on column stark.pack_versions.assets_path is 'Path of the archive of assets in the bundle''s bucket.';
comment on column stark.pack_versions.ports is 'Ports that its pods have where their spec names none: a list of {name, port?}.';
comment on column stark.pack_versions.created_by is 'Who registered it.';
comment on column stark.pack_versions.ready_at is 'When the upload was finished.';
comment on column stark.pack_versions.resource_version is 'Grows with each change.';

create trigger _000_lock_cluster before insert or update or delete on stark.packs
  for each statement execute function stark_internal.lock_cluster_first();
create trigger _100_bump_version before update on stark.packs
  for each row when (old.* is distinct from new.*) execute function stark_internal.bump_version();
create trigger _000_lock_cluster before insert or update or delete on stark.pack_versions
  for each statement execute function stark_internal.lock_cluster_first();
create trigger _100_bump_version before update on stark.pack_versions
  for each row execute function stark_internal.bump_version();

/** stark_internal.keep_versions_immutable(): statement trigger; a ready version's bundle, runtime and name never change. */
create function stark_internal.keep_versions_immutable()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
declare
  v_name text;
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  select o.pack_name || '@' || o.version into v_name
    from old_rows o join new_rows n using (id)
    where o.state <> 'uploading'
      and (n.state = 'uploading'
        or (o.pack_id, o.version, o.runtime, o.entry, o.size_bytes, o.sha256, o.bucket, o.path, o.assets_size_bytes, o.assets_sha256, o.assets_path, o.ports)
           is distinct from (n.pack_id, n.version, n.runtime, n.entry, n.size_bytes, n.sha256, n.bucket, n.path, n.assets_size_bytes, n.assets_sha256, n.assets_path, n.ports))
    limit 1;
  if found then
    perform stark_internal.fail('VERSION_EXISTS', format('%s is registered already and cannot change', v_name), 'register a new version');
  end if;
  return null;
end;
$$;
comment on function stark_internal.keep_versions_immutable() is 'Refuses changes to a version that is ready or withdrawn.';
revoke all on function stark_internal.keep_versions_immutable() from public, anon;

create trigger _100_keep_versions_immutable after update on stark.pack_versions
  referencing old table as old_rows new table as new_rows
  for each statement execute function stark_internal.keep_versions_immutable();

-- API -----------------------------------------------------------------------------------------------------------------

/**
 * stark.register_pack_version(name, version, runtime, entry, visibility, description, size_bytes, sha256, assets_size_bytes,
 * assets_sha256, ports) -> {pack_id, version_id, bucket, path, assets_path?}: announces a bundle, and the archive of its assets if
 * it has one; upload them to Storage under bucket and path, then call finish_pack_version. Its pods have these ports where their
 * spec names none: a list of {name, port?}. A first version makes the pack (private unless said otherwise). Calling again while it is still
 * uploading returns the same; with another sum another path, and what was uploaded before counts no more.
 * Caller: packs:create; for an existing pack its owner, or who may update any pack. Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, INVALID_NAME, INVALID_VERSION, INVALID_RUNTIME, INVALID_ARGUMENT, BUNDLE_TOO_LARGE,
 * VERSION_EXISTS.
 */
create function stark.register_pack_version(
  p_name text,
  p_version text,
  p_runtime text,
  p_entry text default 'default',
  p_visibility text default null,
  p_description text default null,
  p_size_bytes bigint default null,
  p_sha256 text default null,
  p_assets_size_bytes bigint default null,
  p_assets_sha256 text default null,
  p_ports jsonb default '[]'
)
returns jsonb
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_user uuid := stark_internal.require_user();
  v_runtime text := case p_runtime when 'universal' then 'isomorphic' else p_runtime end;
  v_pack stark.packs;
  v_version stark.pack_versions;
  v_assets_sha256 text := lower(p_assets_sha256);
  v_ports jsonb := coalesce(nullif(p_ports, 'null'), '[]');
begin
  perform stark_internal.require_permission('packs:create', null, true);
  perform stark_internal.require_json('p_ports', v_ports, 8192);
  if v_user is null then
    perform stark_internal.fail('UNAUTHENTICATED', 'a pack needs an owner, and the secret key is nobody', 'stark auth login');
  end if;
  if not stark_internal.is_pack_name(p_name) then
    perform stark_internal.fail('INVALID_NAME', format('%s is no name for a pack', coalesce(to_json(left(p_name, 80))::text, 'null')),
      'use lower case letters, digits, ., _ and -, as npm does');
  end if;
  if not stark_internal.is_semver(p_version) then
    perform stark_internal.fail('INVALID_VERSION', format('%s is no version', coalesce(to_json(left(p_version, 80))::text, 'null')), 'use a version such as 1.0.0');
  end if;
  if v_runtime is null or v_runtime not in ('node', 'browser', 'isomorphic') then
    perform stark_internal.fail('INVALID_RUNTIME', format('%s is no runtime', coalesce(to_json(left(v_runtime, 80))::text, 'null')), 'use --runtime node, browser or isomorphic');
  end if;
  if p_entry is null or p_entry !~ '^[A-Za-z_$][A-Za-z0-9_$]{0,127}$' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'entry must be the name of an export', 'leave it out for the default export');
  end if;
  if p_visibility not in ('private', 'public') then
    perform stark_internal.fail('INVALID_ARGUMENT', format('visibility %s is not private or public', to_json(left(p_visibility, 80))), 'use --visibility private or public');
  end if;
  if length(p_description) > 2000 then
    perform stark_internal.fail('INVALID_ARGUMENT', format('the description has %s characters, more than 2000', length(p_description)), 'use a shorter --description');
  end if;
  if p_size_bytes is null or p_size_bytes < 1 then
    perform stark_internal.fail('INVALID_ARGUMENT', 'size_bytes must be the size of the bundle, at least 1', 'stark pack register');
  end if;
  if p_size_bytes > 52428800 then
    perform stark_internal.fail('BUNDLE_TOO_LARGE', format('the bundle has %s bytes, more than 52428800', p_size_bytes), 'leave large assets out of the bundle');
  end if;
  if p_sha256 is null or lower(p_sha256) !~ '^[0-9a-f]{64}$' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'sha256 must be the SHA-256 of the bundle in 64 hex digits', 'stark pack register');
  end if;
  perform stark_internal.fail('INVALID_ARGUMENT', stark_internal.ports_problem(v_ports), 'e.g. [{"name": "http"}]')
    where stark_internal.ports_problem(v_ports) is not null;
  if num_nulls(p_assets_size_bytes, p_assets_sha256) = 1 or p_assets_size_bytes < 1 or v_assets_sha256 !~ '^[0-9a-f]{64}$' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'assets need their size in bytes, at least 1, and their SHA-256 in 64 hex digits', 'stark pack register');
  end if;
  if p_assets_size_bytes > 52428800 - p_size_bytes then
    perform stark_internal.fail('BUNDLE_TOO_LARGE', format('the bundle has %s bytes and its assets %s, more than 52428800 together', p_size_bytes, p_assets_size_bytes),
      'leave large assets out and fetch them from Storage');
  end if;
  perform stark_internal.fail('FORBIDDEN', format('pack %s belongs to somebody else', p_name), 'register it under another name')
    from stark.packs p where p.name = p_name and not stark_internal.has_permission('packs:update', null, p.owner_id = v_user);

  perform stark_internal.lock_cluster();
  select * into v_pack from stark.packs p where p.name = p_name;
  if not found then
    insert into stark.packs (name, owner_id, visibility, description)
      values (p_name, v_user, coalesce(p_visibility, 'private'), p_description)
      returning * into v_pack;
  elsif not stark_internal.has_permission('packs:update', null, v_pack.owner_id = v_user) then
    perform stark_internal.fail('FORBIDDEN', format('pack %s belongs to somebody else', p_name), 'register it under another name');
  else
    update stark.packs p set
        visibility = coalesce(p_visibility, p.visibility),
        description = coalesce(p_description, p.description),
        updated_at = now()
      where p.id = v_pack.id
        and (coalesce(p_visibility, p.visibility), coalesce(p_description, p.description)) is distinct from (p.visibility, p.description);
  end if;

  select * into v_version from stark.pack_versions v where v.pack_id = v_pack.id and v.version = p_version;
  if found and v_version.state <> 'uploading' then
    perform stark_internal.fail('VERSION_EXISTS', format('%s@%s is registered already and cannot change', p_name, p_version), 'register a new version');
  elsif found then
    update stark.pack_versions v
      set size_bytes = p_size_bytes, sha256 = lower(p_sha256), runtime = v_runtime, entry = p_entry,
          path = v_pack.id || '/' || v.id || '/' || lower(p_sha256) || '.js',
          assets_size_bytes = p_assets_size_bytes, assets_sha256 = v_assets_sha256,
          assets_path = v_pack.id || '/' || v.id || '/' || v_assets_sha256 || '.zip', ports = v_ports
      where v.id = v_version.id returning * into v_version;
  else
    v_version.id := gen_random_uuid();
    insert into stark.pack_versions (id, pack_id, pack_name, version, runtime, entry, size_bytes, sha256, path,
                                     assets_size_bytes, assets_sha256, assets_path, ports, created_by)
      values (v_version.id, v_pack.id, p_name, p_version, v_runtime, p_entry, p_size_bytes, lower(p_sha256),
              v_pack.id || '/' || v_version.id || '/' || lower(p_sha256) || '.js',
              p_assets_size_bytes, v_assets_sha256, v_pack.id || '/' || v_version.id || '/' || v_assets_sha256 || '.zip', v_ports, v_user)
      returning * into v_version;
  end if;
  return jsonb_strip_nulls(jsonb_build_object('pack_id', v_pack.id, 'version_id', v_version.id, 'bucket', v_version.bucket,
    'path', v_version.path, 'assets_path', v_version.assets_path));
end;
$$;
comment on function stark.register_pack_version(text, text, text, text, text, text, bigint, text, bigint, text, jsonb) is 'Announces a bundle; upload it to the returned path, then call finish_pack_version.';
revoke all on function stark.register_pack_version(text, text, text, text, text, text, bigint, text, bigint, text, jsonb) from public, anon;
grant execute on function stark.register_pack_version(text, text, text, text, text, text, bigint, text, bigint, text, jsonb) to authenticated, service_role;

/** stark_internal.latest_version(pack) -> text: highest ready version in semver order; a pre-release only when there is nothing else. */
create function stark_internal.latest_version(p_pack_id uuid)
returns text
language sql
stable
set search_path = pg_temp
as $$
  select v.version from stark.pack_versions v
  where v.pack_id = p_pack_id and v.state = 'ready'
  order by (right(v.version_key, 1) = '~') desc, v.version_key desc, v.ready_at desc
  limit 1;
$$;
comment on function stark_internal.latest_version(uuid) is 'The version a pod gets when it asks for none.';
revoke all on function stark_internal.latest_version(uuid) from public, anon;

/**
 * stark.finish_pack_version(version_id) -> the version row: the bundle is in Storage, the version is ready and from now on
 * immutable. Calling again changes nothing. Caller: the pack's owner, or who may update any pack. Locks: the cluster lock.
 * Raises: VERSION_NOT_FOUND, FORBIDDEN, BUNDLE_MISSING, BUNDLE_SIZE_MISMATCH, VERSION_NOT_READY (withdrawn).
 */
create function stark.finish_pack_version(p_version_id uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_user uuid := stark_internal.require_user();
  v_version stark.pack_versions;
  v_file record;
  v_size bigint;
begin
  if not exists (select from stark.pack_versions v where v.id = p_version_id) then
    perform stark_internal.fail('VERSION_NOT_FOUND', format('no version %s', p_version_id), 'stark pack versions');
  end if;
  perform stark_internal.require_permission('packs:update', null,
    exists (select from stark.pack_versions v join stark.packs p on p.id = v.pack_id where v.id = p_version_id and p.owner_id = v_user));
  perform stark_internal.lock_cluster();
  select v.* into v_version from stark.pack_versions v where v.id = p_version_id;
  if not found then
    perform stark_internal.fail('VERSION_NOT_FOUND', format('no version %s', p_version_id), 'stark pack versions');
  end if;
  if v_version.state = 'withdrawn' then
    perform stark_internal.fail('VERSION_NOT_READY', format('%s@%s was withdrawn', v_version.pack_name, v_version.version), 'register a new version');
  end if;
  if v_version.state = 'uploading' then
    for v_file in
      select f.* from (values ('bundle', v_version.path, v_version.size_bytes), ('archive of assets', v_version.assets_path, v_version.assets_size_bytes)) f (what, path, size_bytes)
      where f.path is not null
    loop
      select (o.metadata ->> 'size')::bigint into v_size
        from storage.objects o where o.bucket_id = v_version.bucket and o.name = v_file.path;
      if not found then
        perform stark_internal.fail('BUNDLE_MISSING', format('the %s of %s@%s was not uploaded', v_file.what, v_version.pack_name, v_version.version),
          format('upload it to %s/%s', v_version.bucket, v_file.path));
      end if;
      if v_size is distinct from v_file.size_bytes then
        perform stark_internal.fail('BUNDLE_SIZE_MISMATCH', format('the %s of %s@%s has %s bytes in Storage, %s were announced',
          v_file.what, v_version.pack_name, v_version.version, coalesce(v_size::text, 'no known number of'), v_file.size_bytes), 'stark pack register');
      end if;
    end loop;
    update stark.pack_versions v set state = 'ready', ready_at = now() where v.id = p_version_id returning * into v_version;
    update stark.packs p set latest_version = stark_internal.latest_version(p.id), updated_at = now() where p.id = v_version.pack_id;
  end if;
  perform stark_internal.work_off_notes();
  return to_jsonb(v_version);
end;
$$;
comment on function stark.finish_pack_version(uuid) is 'Makes an uploaded version ready, after comparing its size with Storage.';
revoke all on function stark.finish_pack_version(uuid) from public, anon;
grant execute on function stark.finish_pack_version(uuid) to authenticated, service_role;

/** stark_internal.with_ports(spec, version) -> the spec of a pod, with the ports that this version declares where it names none. */
create function stark_internal.with_ports(p_spec jsonb, p_version_id uuid)
returns jsonb
language sql
stable
set search_path = pg_temp
as $$
  select case
    when jsonb_typeof(p_spec) <> 'object' or p_spec ? 'ports' then p_spec
    else p_spec || coalesce((select jsonb_build_object('ports', v.ports) from stark.pack_versions v where v.id = p_version_id and v.ports <> '[]'), '{}')
  end;
$$;
comment on function stark_internal.with_ports(jsonb, uuid) is 'A pod''s spec with the ports that its version declares.';
revoke all on function stark_internal.with_ports(jsonb, uuid) from public, anon;

/** stark_internal.require_pack(name, permission) -> the pack. Raises UNAUTHENTICATED, FORBIDDEN, PACK_NOT_FOUND (also for one the caller may not see). */
create function stark_internal.require_pack(p_name text, p_permission text)
returns stark.packs
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_user uuid := stark_internal.require_user();
  v_pack stark.packs;
begin
  select * into v_pack from stark.packs p
    where p.name = p_name and (stark_internal.has_permission('packs:get', null, p.owner_id is not distinct from v_user)
                               or (p.visibility = 'public' and stark_internal.is_member()));
  if not found then
    perform stark_internal.fail('PACK_NOT_FOUND', format('no pack %s', coalesce(to_json(left(p_name, 80))::text, 'null')), 'stark pack list');
  end if;
  perform stark_internal.require_permission(p_permission, null, v_pack.owner_id is not distinct from v_user);
  return v_pack;
end;
$$;
comment on function stark_internal.require_pack(text, text) is 'The pack of this name, when the caller may do this to it.';
revoke all on function stark_internal.require_pack(text, text) from public, anon;

/**
 * stark.withdraw_pack_version(name, version) -> the version: no new pod gets it, those that run keep it. Calling again changes
 * nothing. Caller: the pack's owner, or who may update any pack. Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, PACK_NOT_FOUND, VERSION_NOT_FOUND.
 */
create function stark.withdraw_pack_version(p_name text, p_version text)
returns stark.pack_versions
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_pack stark.packs;
  v_version stark.pack_versions;
begin
  perform stark_internal.require_pack(p_name, 'packs:update');
  perform stark_internal.lock_cluster();
  v_pack := stark_internal.require_pack(p_name, 'packs:update');
  update stark.pack_versions v set state = 'withdrawn', ready_at = coalesce(v.ready_at, now())
    where v.pack_id = v_pack.id and v.version = p_version and v.state <> 'withdrawn';
  select * into v_version from stark.pack_versions v where v.pack_id = v_pack.id and v.version = p_version;
  if not found then
    perform stark_internal.fail('VERSION_NOT_FOUND', format('pack %s has no version %s', p_name, coalesce(to_json(left(p_version, 80))::text, 'null')), 'stark pack versions ' || p_name);
  end if;
  update stark.packs p set latest_version = stark_internal.latest_version(p.id), updated_at = now()
    where p.id = v_pack.id and p.latest_version is distinct from stark_internal.latest_version(p.id);
  perform stark_internal.work_off_notes();
  return v_version;
end;
$$;
comment on function stark.withdraw_pack_version(text, text) is 'Keeps new pods off a version.';
revoke all on function stark.withdraw_pack_version(text, text) from public, anon;
grant execute on function stark.withdraw_pack_version(text, text) to authenticated, service_role;

/**
 * stark.update_pack(name, visibility, description, if_version) -> the pack; null leaves a field as it is. Pods that run stay,
 * also when the pack becomes private. Caller: the pack's owner, or who may update any pack. Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, PACK_NOT_FOUND, INVALID_ARGUMENT, CONFLICT.
 */
create function stark.update_pack(p_name text, p_visibility text default null, p_description text default null, p_if_version bigint default null)
returns stark.packs
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_pack stark.packs;
begin
  perform stark_internal.require_pack(p_name, 'packs:update');
  perform stark_internal.lock_cluster();
  v_pack := stark_internal.require_pack(p_name, 'packs:update');
  if p_visibility not in ('private', 'public') then
    perform stark_internal.fail('INVALID_ARGUMENT', format('visibility %s is not private or public', to_json(left(p_visibility, 80))), 'use --visibility private or public');
  end if;
  if length(p_description) > 2000 then
    perform stark_internal.fail('INVALID_ARGUMENT', format('the description has %s characters, more than 2000', length(p_description)), 'use a shorter --description');
  end if;
  perform stark_internal.require_version('pack ' || p_name, p_if_version, v_pack.resource_version);
  update stark.packs p set visibility = coalesce(p_visibility, p.visibility), description = coalesce(p_description, p.description), updated_at = now()
    where p.id = v_pack.id
      and (coalesce(p_visibility, p.visibility), coalesce(p_description, p.description)) is distinct from (p.visibility, p.description);
  perform stark_internal.work_off_notes();
  select * into v_pack from stark.packs p where p.id = v_pack.id;
  return v_pack;
end;
$$;
comment on function stark.update_pack(text, text, text, bigint) is 'Changes who may use a pack, and its description.';
revoke all on function stark.update_pack(text, text, text, bigint) from public, anon;
grant execute on function stark.update_pack(text, text, text, bigint) to authenticated, service_role;

-- Reading -------------------------------------------------------------------------------------------------------------

alter table stark.packs enable row level security;
alter table stark.pack_versions enable row level security;

create policy "members read public packs, owners theirs, auditors all" on stark.packs for select to authenticated
  using (
    (select stark_internal.has_permission('packs:get'))
    or (visibility = 'public' and (select stark_internal.is_member()))
    or (owner_id = (select auth.uid()) and (select stark_internal.has_permission('packs:get', null, true)))
  );
create policy "versions are read with their pack" on stark.pack_versions for select to authenticated
  using (pack_id in (select p.id from stark.packs p));

grant select on stark.packs, stark.pack_versions to authenticated, service_role;
