-- Which version a deployment takes: ranges as node-semver writes them, and following the newest version of a pack. Decided when a version
-- is finished or withdrawn, in that transaction: no registry is asked, and nothing polls.

/** stark_internal.next_number(text) -> the whole number after this one, as a text. */
create function stark_internal.next_number(p_number text)
returns text
language sql
immutable
set search_path = pg_temp
as $$
  select (p_number::numeric + 1)::text;
$$;
comment on function stark_internal.next_number(text) is 'The whole number after this one.';
revoke all on function stark_internal.next_number(text) from public, anon;

/**
 * stark_internal.comparator_bounds(comparator, prerelease) -> what one comparator of a range says, as plain ones: ^1.2 is >=1.2.0 and <2.0.0-0. Null
 * when it is none, empty when it allows every version. prerelease: pre-releases count, so lower bounds begin with them.
 */
create function stark_internal.comparator_bounds(p_comparator text, p_prerelease boolean)
returns text[]
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_op text := coalesce(substring(p_comparator from '^(?:~>|[<>]=|[=<>^~])'), '');
  v_rest text := ltrim(substr(p_comparator, length(v_op) + 1), 'v= ');
  v_pre text := case when strpos(v_rest, '-') > 0 then substr(v_rest, strpos(v_rest, '-') + 1) end;
  v_part text[] := string_to_array(split_part(v_rest, '-', 1), '.');
  v_major text := nullif(translate(v_part[1], 'xX*', ''), '');
  v_minor text := nullif(translate(v_part[2], 'xX*', ''), '');
  v_patch text := nullif(translate(v_part[3], 'xX*', ''), '');
  v_zero text := case when p_prerelease then '-0' else '' end;
  v_exact text;
  v_low text;
begin
  -- Part by part: one expression for all of it takes milliseconds.
  if cardinality(v_part) not between 1 and 3 or (v_pre is not null and (cardinality(v_part) < 3 or not stark_internal.is_semver('0.0.0-' || v_pre)))
     or exists (select from unnest(v_part) u where u not in ('x', 'X', '*') and u !~ '^(0|[1-9]\d{0,15})$') then
    return null;
  end if;
  v_op := case when v_op = '=' then '' else v_op end;
  if v_major is null then
    -- * and x; nothing is higher or lower than all.
    return case when v_op in ('^', '~', '~>') then '{}' when v_minor is not null or v_patch is not null then null when v_op in ('<', '>') then array['<0.0.0-0'] else '{}' end;
  elsif v_minor is null and v_patch is not null and v_op not in ('^', '~', '~>') then
    return null;
  end if;
  v_low := format('%s.%s.%s', v_major, coalesce(v_minor, '0'), case when v_minor is null then '0' else coalesce(v_patch, '0') end);
  v_exact := v_low || coalesce('-' || v_pre, '');
  if v_minor is null or v_patch is null then
    return case
      when v_op in ('', '~', '~>', '^') and (v_minor is null or (v_op = '^' and v_major <> '0')) then array['>=' || v_low || v_zero, format('<%s.0.0-0', stark_internal.next_number(v_major))]
      when v_op in ('', '~', '~>', '^') then array['>=' || v_low || v_zero, format('<%s.%s.0-0', v_major, stark_internal.next_number(v_minor))]
      when v_op = '>' and v_minor is null then array[format('>=%s.0.0', stark_internal.next_number(v_major)) || v_zero]
      when v_op = '>' then array[format('>=%s.%s.0', v_major, stark_internal.next_number(v_minor)) || v_zero]
      when v_op = '<=' and v_minor is null then array[format('<%s.0.0-0', stark_internal.next_number(v_major))]
      when v_op = '<=' then array[format('<%s.%s.0-0', v_major, stark_internal.next_number(v_minor))]
      when v_op = '<' then array['<' || v_low || '-0']
      else array['>=' || v_low || v_zero] end;
  end if;
  return case
    when v_op in ('~', '~>') then array['>=' || v_exact, format('<%s.%s.0-0', v_major, stark_internal.next_number(v_minor))]
    when v_op = '^' and v_major <> '0' then array['>=' || v_exact, format('<%s.0.0-0', stark_internal.next_number(v_major))]
    when v_op = '^' and v_minor <> '0' then array['>=' || v_exact, format('<0.%s.0-0', stark_internal.next_number(v_minor))]
    when v_op = '^' then array['>=' || v_exact, format('<0.0.%s-0', stark_internal.next_number(v_patch))]
    else array[coalesce(nullif(v_op, ''), '=') || v_exact] end;
end;
$$;
comment on function stark_internal.comparator_bounds(text, boolean) is 'What one comparator of a version range says.';
revoke all on function stark_internal.comparator_bounds(text, boolean) from public, anon;

/** stark_internal.hyphen_bounds(from, to, prerelease) -> the range "from - to" as plain comparators: a part that is missing in from is 0, in to any. Null when one is no version. */
create function stark_internal.hyphen_bounds(p_from text, p_to text, p_prerelease boolean)
returns text[]
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_from text[] := stark_internal.comparator_bounds('>=' || p_from, p_prerelease);
  v_to text[] := stark_internal.comparator_bounds('<=' || p_to, p_prerelease);
  v_is_whole constant text := '^\d+\.\d+\.\d+$';
begin
  if v_from[1] is not null and p_prerelease and substr(v_from[1], 3) ~ v_is_whole then
    v_from := array[v_from[1] || '-0'];
  end if;
  if v_to[1] is not null and p_prerelease and left(v_to[1], 2) = '<=' and substr(v_to[1], 3) ~ v_is_whole then
    v_to := array['<' || regexp_replace(substr(v_to[1], 3), '\d+$', '') || stark_internal.next_number(substring(v_to[1] from '\d+$')) || '-0'];
  end if;
  return v_from || v_to;
end;
$$;
comment on function stark_internal.hyphen_bounds(text, text, boolean) is 'A range from one version to another as plain comparators.';
revoke all on function stark_internal.hyphen_bounds(text, text, boolean) from public, anon;

/** stark_internal.range_bounds(range, prerelease) -> for each alternative of a range (a || b) its plain comparators. No row when the range is none. */
create function stark_internal.range_bounds(p_range text, p_prerelease boolean default false)
returns table (alternative bigint, bounds text[])
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_alternative record;
  v_text text;
  v_hyphen text[];
  v_word text;
  v_bounds text[];
  v_said text[];
  v_all text[] := '{}';
  v_part constant text := '(?:[xX*]|0|[1-9]\d{0,15})';
  v_tag constant text := '(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)';
  v_tags constant text := '(?:-' || v_tag || '(?:\.' || v_tag || ')*)?';
begin
  for v_alternative in select a.text, a.ord from regexp_split_to_table(p_range, '\|\|') with ordinality as a (text, ord) loop
    v_text := trim(regexp_replace(regexp_replace(v_alternative.text, '\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*', '', 'g'), '\s+', ' ', 'g'));
    v_hyphen := regexp_match(v_text, '^([^ ^~<>]+) - ([^ ^~<>]+)$');
    -- Behind a part that is any, the others say nothing; they have to be parts of a version all the same.
    v_hyphen := array(
      select regexp_replace(regexp_replace(h, '^[v=]*[xX*]\.' || v_part || '(?:\.' || v_part || v_tags || ')?$', '*'), '^([v=]*\d+)\.[xX*]\.' || v_part || v_tags || '$', '\1')
      from unnest(v_hyphen) with ordinality u (h, ord) order by u.ord);
    alternative := v_alternative.ord;
    if v_hyphen <> '{}' then
      bounds := stark_internal.hyphen_bounds(v_hyphen[1], v_hyphen[2], p_prerelease);
      if stark_internal.comparator_bounds(v_hyphen[1], p_prerelease) is null or stark_internal.comparator_bounds(v_hyphen[2], p_prerelease) is null then
        return;
      end if;
    else
      bounds := '{}';
      foreach v_word in array string_to_array(regexp_replace(v_text, '(\^|~>?|[<>]=?|=) +', '\1', 'g'), ' ') loop
        continue when v_word = '';
        v_said := stark_internal.comparator_bounds(v_word, p_prerelease);
        if v_said is null then
          return;
        end if;
        bounds := bounds || v_said;
      end loop;
    end if;
    v_all := array_append(v_all, jsonb_build_object('alternative', alternative, 'bounds', to_jsonb(bounds))::text);
  end loop;
  return query select (e.item ->> 'alternative')::bigint, array(select jsonb_array_elements_text(e.item -> 'bounds'))
    from (select u::jsonb as item from unnest(v_all) u) e;
end;
$$;
comment on function stark_internal.range_bounds(text, boolean) is 'A version range as plain comparators.';
revoke all on function stark_internal.range_bounds(text, boolean) from public, anon;

/** stark_internal.meets_bound(key, comparator): whether a version with this key is on the right side of a plain comparator. */
create function stark_internal.meets_bound(p_key text, p_bound text)
returns boolean
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_op text := substring(p_bound from '^[<>=]+');
  v_bound text collate "C" := stark_internal.semver_key(substr(p_bound, length(v_op) + 1));
  v_key text collate "C" := p_key;
begin
  return case v_op when '>=' then v_key >= v_bound when '<=' then v_key <= v_bound when '>' then v_key > v_bound when '<' then v_key < v_bound else v_key = v_bound end;
end;
$$;
comment on function stark_internal.meets_bound(text, text) is 'Whether a version is on the right side of a bound.';
revoke all on function stark_internal.meets_bound(text, text) from public, anon;

/**
 * stark_internal.satisfies(version, range, prerelease): node-semver's answer. A pre-release is in a range only where one of its comparators names
 * a pre-release of the same three numbers, or where pre-releases count.
 */
create function stark_internal.satisfies(p_version text, p_range text, p_prerelease boolean default false)
returns boolean
language sql
immutable
set search_path = pg_temp
as $$
  select exists (
    select from stark_internal.range_bounds(p_range, p_prerelease) a
    where not exists (select from unnest(a.bounds) b where not stark_internal.meets_bound(stark_internal.semver_key(p_version), b))
      and (p_prerelease or split_part(p_version, '+', 1) !~ '-' or exists (
        select from unnest(a.bounds) b where b ~ '-' and regexp_replace(split_part(b, '-', 1), '^[<>=]+', '') = split_part(split_part(p_version, '+', 1), '-', 1))));
$$;
comment on function stark_internal.satisfies(text, text, boolean) is 'Whether a version is in a range.';
revoke all on function stark_internal.satisfies(text, text, boolean) from public, anon;

-- Following -------------------------------------------------------------------------------------------------------------

/**
 * stark_internal.newest_version(pack, range, prerelease, after, runtime, deployment, now) -> the version that who follows takes: the newest ready one of
 * the range, of this runtime tag, and newer than after. Of versions that differ in build metadata the one finished last. Not what the
 * deployment has blocked, or what failed in it within the last minute. Null when there is none.
 */
create function stark_internal.newest_version(
  p_pack_id uuid, p_range text, p_prerelease boolean, p_after text default null, p_runtime text default null, p_deployment_id uuid default null, p_now timestamptz default now()
)
returns uuid
language sql
stable
set search_path = pg_temp
as $$
  select v.id
  from stark.pack_versions v
  where v.pack_id = p_pack_id and v.state = 'ready'
    and (p_runtime is null or v.runtime = p_runtime)
    and (p_after is null or v.version_key > stark_internal.semver_key(p_after) collate "C"
         or (v.version_key = stark_internal.semver_key(p_after) collate "C" and v.ready_at > (select a.ready_at from stark.pack_versions a where a.pack_id = p_pack_id and a.version = p_after)))
    and case when p_range is null then p_prerelease or right(v.version_key, 1) = '~' else stark_internal.satisfies(v.version, p_range, p_prerelease) end
    and not exists (select from stark_internal.blocked_versions b where b.deployment_id = p_deployment_id and b.pack_version_id = v.id and b.blocked_until > p_now)
    and not exists (
      select from stark.deployment_revisions r
      where r.deployment_id = p_deployment_id and r.pack_version_id = v.id and r.failed_at > p_now - interval '1 minute')
  order by v.version_key desc, v.ready_at desc limit 1;
$$;
comment on function stark_internal.newest_version(uuid, text, boolean, text, text, uuid, timestamptz) is 'The version that who follows takes.';
revoke all on function stark_internal.newest_version(uuid, text, boolean, text, text, uuid, timestamptz) from public, anon;

/**
 * stark_internal.follow_versions(ids, now): deployments that follow take a newer version, or where theirs was withdrawn the highest one left. Not those
 * that are held, frozen or without rights. A block whose time nobody watched begins anew.
 */
create function stark_internal.follow_versions(p_ids uuid[], p_now timestamptz)
returns void
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_next record;
begin
  update stark_internal.blocked_versions b set blocked_until = p_now + stark_internal.block_time(b.failures)
    from stark.deployments d
    where d.id = b.deployment_id and d.id = any (p_ids) and b.blocked_until > d.reconciled_at and stark_internal.observed_gap(d.reconciled_at, p_now) is null;
  for v_next in
    select d.id, d.acts_as, n.id as version_id, r.template, s.secrets
    from stark.deployments d
    join stark.deployment_revisions r on r.deployment_id = d.id and r.revision = d.revision
    join stark_internal.revision_secrets s on s.deployment_id = d.id and s.revision = d.revision
    join stark.pack_versions v on v.id = r.pack_version_id
    join stark_internal.rollout_terms t on t.deployment_id = d.id
    join stark.pack_versions n on n.id = stark_internal.newest_version(d.pack_id, d.version_range, d.include_prerelease, d.follow_after, v.runtime, d.id, p_now)
    where d.id = any (p_ids) and d.follow_latest and not t.is_frozen and not t.is_held and t.may_not is null and n.id <> v.id
      and (v.state <> 'ready' or n.version_key > v.version_key or (n.version_key = v.version_key and n.ready_at > v.ready_at))
    order by d.id
  loop
    perform stark_internal.add_revision(v_next.id, v_next.template, v_next.secrets, v_next.version_id, 'follow', null, v_next.acts_as, p_now);
    update stark.deployments d set follow_after = null where d.id = v_next.id and d.follow_after is not null;
  end loop;
end;
$$;
comment on function stark_internal.follow_versions(uuid[], timestamptz) is 'Has deployments take the version they follow.';
revoke all on function stark_internal.follow_versions(uuid[], timestamptz) from public, anon;
