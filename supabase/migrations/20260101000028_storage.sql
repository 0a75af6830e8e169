-- Bundles in Storage: a private bucket; a bundle's path is fixed when its version is registered.

insert into storage.buckets (id, name, public, file_size_limit) values ('packs', 'packs', false, 52428800)
  on conflict (id) do update set public = false, file_size_limit = excluded.file_size_limit;

/** stark_internal.may_upload_bundle(path) -> boolean: a version that is still uploading, of the caller's pack. */
create function stark_internal.may_upload_bundle(p_path text)
returns boolean
language sql
stable
security definer
set search_path = pg_temp
as $$
  -- Definer: Storage asks as the uploading user.
  select exists (
    select from stark.pack_versions v join stark.packs p on p.id = v.pack_id
    where v.bucket = 'packs' and p_path in (v.path, v.assets_path) and v.state = 'uploading'
      and stark_internal.has_permission('packs:update', null, p.owner_id = (select auth.uid())));
$$;
comment on function stark_internal.may_upload_bundle(text) is 'Whether the caller may upload the bundle of this path.';
revoke all on function stark_internal.may_upload_bundle(text) from public, anon;
grant execute on function stark_internal.may_upload_bundle(text) to authenticated;

/**
 * stark_internal.may_read_bundle(path) -> boolean: the pack's owner, who may pull any pack, members for a public pack, and
 * who speaks for a node on which a pod of this very version is placed.
 */
create function stark_internal.may_read_bundle(p_path text)
returns boolean
language sql
stable
security definer
set search_path = pg_temp
as $$
  -- Definer: Storage asks as the downloading user.
  select exists (
    select from stark.pack_versions v join stark.packs p on p.id = v.pack_id
    where v.bucket = 'packs' and p_path in (v.path, v.assets_path)
      and (
        stark_internal.has_permission('packs:pull', null, p.owner_id = (select auth.uid()))
        or (p.visibility = 'public' and v.state <> 'uploading' and stark_internal.is_member())
        or (
          stark_internal.has_permission('nodes:connect', null, true)
          and exists (
            select from stark.pods d join stark.nodes n on n.id = d.node_id
            where d.pack_version_id = v.id and (select auth.uid()) in (n.owner_id, n.agent_id) and stark_internal.occupies(d.status)
              and stark_internal.may_act_as_agent(n))
        )
      ));
$$;
comment on function stark_internal.may_read_bundle(text) is 'Whether the caller may download the bundle of this path.';
revoke all on function stark_internal.may_read_bundle(text) from public, anon;
grant execute on function stark_internal.may_read_bundle(text) to authenticated;

create policy "Stark: owners upload bundles of unfinished versions" on storage.objects for insert to authenticated
  with check (bucket_id = 'packs' and stark_internal.may_upload_bundle(name));
create policy "Stark: owners replace bundles of unfinished versions" on storage.objects for update to authenticated
  using (bucket_id = 'packs' and stark_internal.may_upload_bundle(name))
  with check (bucket_id = 'packs' and stark_internal.may_upload_bundle(name));
create policy "Stark: owners remove bundles of unfinished versions" on storage.objects for delete to authenticated
  using (bucket_id = 'packs' and stark_internal.may_upload_bundle(name));
create policy "Stark: who may read a bundle" on storage.objects for select to authenticated
  using (bucket_id = 'packs' and stark_internal.may_read_bundle(name));

/**
 * stark_internal.keep_bundles(): row trigger; the bundle of a version that is ready never changes, by any writer. A place to
 * upload that was signed while the version was unfinished is used under Storage's own role, which no policy holds back.
 */
create function stark_internal.keep_bundles()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  -- Definer, since Storage's own role has no right in this schema. Only a trigger can call it.
  if exists (
    select from stark.pack_versions v where v.bucket = old.bucket_id and old.name in (v.path, v.assets_path) and v.state <> 'uploading'
  ) then
    perform stark_internal.fail('VERSION_EXISTS', format('the bundle %s is finished and never changes', old.name), 'register a new version');
  end if;
  return new;
end;
$$;
comment on function stark_internal.keep_bundles() is 'Refuses to change the bundle of a finished version.';
revoke all on function stark_internal.keep_bundles() from public, anon;

create trigger stark_keep_bundles before update on storage.objects
  for each row when (old.bucket_id = 'packs' and (old.name, old.bucket_id, old.metadata) is distinct from (new.name, new.bucket_id, new.metadata))
  execute function stark_internal.keep_bundles();
