-- What names, versions, labels, taints and the parts of pod specs may look like. Immutable functions, used twice: by constraints and
-- triggers (so that a limit holds for every writer) and by the API functions (so that the caller gets a coded error that names
-- the thing). Small ones are plpgsql: an SQL function with a search_path of its own cannot be inlined, and is several times
-- slower to call.

/**
 * stark_internal.is_deep(value): true for JSON with more than 32 levels of lists and objects in each other. Deeper ones are stored and
 * read by Postgres, and break those who read them: one such row made a table answer 500 to everybody. Looks no deeper than that.
 */
create function stark_internal.is_deep(p_value jsonb)
returns boolean
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  return coalesce(jsonb_path_exists(p_value, 'strict $.**{32} ? (@.type() == "array" || @.type() == "object")'), false);
end;
$$;
comment on function stark_internal.is_deep(jsonb) is 'True for JSON of more than 32 levels.';
revoke all on function stark_internal.is_deep(jsonb) from public, anon;

/**
 * stark_internal.has_endless_number(value): true for JSON with a number that JavaScript does not hold. Postgres keeps 1e131071 in a few bytes,
 * and writes 131,072 digits where anybody asks for the text: eight thousand of them are a gigabyte. What is too small for JavaScript likewise.
 */
create function stark_internal.has_endless_number(p_value jsonb)
returns boolean
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  return coalesce(jsonb_path_exists(p_value, 'strict $.** ? (@.type() == "number" && (@ > 1e308 || @ < -1e308 || (@ < 1e-300 && @ > -1e-300 && @ != 0)))'), false);
end;
$$;
comment on function stark_internal.has_endless_number(jsonb) is 'True for JSON with a number that JavaScript does not hold.';
revoke all on function stark_internal.has_endless_number(jsonb) from public, anon;

/**
 * stark_internal.require_json(what, value, bytes): passes when the JSON that a caller gave as this argument has at most so many bytes as a
 * text, 32 levels, and numbers that can be read. Every function that takes JSON asks it before it does anything else with it, and so
 * before the cluster lock. Raises INVALID_ARGUMENT, LIMIT_EXCEEDED.
 */
create function stark_internal.require_json(p_what text, p_value jsonb, p_bytes integer default stark_internal.call_limit('log_bytes'))
returns void
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  -- The size as it is stored is known without a look at what is in it; numbers take up to five times as much of it as of the text.
  if pg_column_size(p_value) > 8 * p_bytes then
    perform stark_internal.fail('LIMIT_EXCEEDED', format('%s has far more than %s bytes', p_what, p_bytes), 'give less at once');
  elsif stark_internal.has_endless_number(p_value) then
    perform stark_internal.fail('INVALID_ARGUMENT', format('%s has a number beyond 1e308, or one below 1e-300 that is not 0', p_what), 'write such numbers as strings');
  elsif stark_internal.is_deep(p_value) then
    perform stark_internal.fail('INVALID_ARGUMENT', format('%s has more than 32 levels', p_what), 'give fewer objects and lists in each other');
  elsif octet_length(p_value::text) > p_bytes then
    perform stark_internal.fail('LIMIT_EXCEEDED', format('%s has %s bytes, at most %s', p_what, octet_length(p_value::text), p_bytes), 'give less at once');
  end if;
end;
$$;
comment on function stark_internal.require_json(text, jsonb, integer) is 'Raises a coded error for JSON that is too long, too deep, or has numbers without end.';
revoke all on function stark_internal.require_json(text, jsonb, integer) from public, anon;

/** stark_internal.is_dns_label(name): Kubernetes' rule for pods and namespaces (RFC 1123 label, at most 63 characters). */
create function stark_internal.is_dns_label(p_name text)
returns boolean
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  return coalesce(p_name ~ '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$', false);
end;
$$;
comment on function stark_internal.is_dns_label(text) is 'True for a DNS label: lower case, digits and dashes, at most 63 characters.';
revoke all on function stark_internal.is_dns_label(text) from public, anon;

/** stark_internal.is_dns_name(name): Kubernetes' rule for nodes (DNS labels joined by dots, at most 253 characters). */
create function stark_internal.is_dns_name(p_name text)
returns boolean
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  return coalesce(length(p_name) <= 253
    and p_name ~ '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$', false);
end;
$$;
comment on function stark_internal.is_dns_name(text) is 'True for DNS labels joined by dots, at most 253 characters.';
revoke all on function stark_internal.is_dns_name(text) from public, anon;

/** stark_internal.is_pack_name(name): npm's rule, scope allowed, at most 214 characters. */
create function stark_internal.is_pack_name(p_name text)
returns boolean
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  return coalesce(length(p_name) <= 214 and p_name ~ '^(@[a-z0-9~-][a-z0-9._~-]*/)?[a-z0-9~-][a-z0-9._~-]*$', false);
end;
$$;
comment on function stark_internal.is_pack_name(text) is 'True for a name that npm would take for a new package.';
revoke all on function stark_internal.is_pack_name(text) from public, anon;

/** stark_internal.is_semver(version): semver.org 2.0.0, at most 128 characters. */
create function stark_internal.is_semver(p_version text)
returns boolean
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  return coalesce(length(p_version) <= 128 and p_version ~
    ('^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)'
    '(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?'
    '(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$'), false);
end;
$$;
comment on function stark_internal.is_semver(text) is 'True for a version in the sense of semver.org 2.0.0.';
revoke all on function stark_internal.is_semver(text) from public, anon;

/**
 * stark_internal.semver_key(version): a text that sorts, byte by byte, as semver orders versions. A number is written with
 * its length before it (so 9 < 10), numeric identifiers of a pre-release start with 0 and others with 1 (so 1 < alpha),
 * identifiers are joined by a space, lower than any letter (so alpha < alpha.1), and a release ends in ~, higher than any
 * pre-release. Build metadata does not count.
 */
create function stark_internal.semver_key(p_version text)
returns text
language sql
immutable
set search_path = pg_temp
as $$
  select
    (select string_agg(lpad(length(part)::text, 3, '0') || part, '.' order by ord)
       from regexp_split_to_table(split_part(core.version, '-', 1), '\.') with ordinality as parts (part, ord))
    || case
         when core.version ~ '-' then
           (select string_agg(case when ident ~ '^\d+$' then '0' || lpad(length(ident)::text, 3, '0') || ident else '1' || ident end, ' ' order by ord)
              from regexp_split_to_table(substring(core.version from '-(.*)$'), '\.') with ordinality as idents (ident, ord))
         else '~'
       end
  from (select split_part(p_version, '+', 1) as version) core;
$$;
comment on function stark_internal.semver_key(text) is 'A text whose byte order is the precedence order of semver versions.';
revoke all on function stark_internal.semver_key(text) from public, anon;

/** stark_internal.is_label_key(key): Kubernetes' rule, [prefix/]name, where the prefix is a DNS name of at most 253 characters. */
create function stark_internal.is_label_key(p_key text)
returns boolean
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  return coalesce(length(split_part(p_key, '/', 1)) <= 253 and p_key ~
    '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$', false);
end;
$$;
comment on function stark_internal.is_label_key(text) is 'True for the key of a label.';
revoke all on function stark_internal.is_label_key(text) from public, anon;

/** stark_internal.is_label_value(value): Kubernetes' rule, which the empty text follows. */
create function stark_internal.is_label_value(p_value text)
returns boolean
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  return coalesce(p_value ~ '^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$', false);
end;
$$;
comment on function stark_internal.is_label_value(text) is 'True for the value of a label.';
revoke all on function stark_internal.is_label_value(text) from public, anon;

/** stark_internal.labels_problem(labels): null when they follow Kubernetes' rules, else what is wrong. At most 64 labels. */
create function stark_internal.labels_problem(p_labels jsonb)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_bad text;
begin
  if p_labels is null or jsonb_typeof(p_labels) <> 'object' then
    return 'labels must be an object of strings';
  end if;
  if pg_catalog.octet_length(p_labels::text) > 16384 or (select count(*) from jsonb_object_keys(p_labels)) > 64 then
    return 'at most 64 labels and 16 kB of them';
  end if;
  select left(l.key, 80) into v_bad
    from jsonb_each(p_labels) l
    where not stark_internal.is_label_key(l.key)
    limit 1;
  if found then
    return format('label key %s is not [prefix/]name with a name of at most 63 letters, digits, -, _ or .', to_json(v_bad));
  end if;
  select l.key into v_bad
    from jsonb_each(p_labels) l
    where jsonb_typeof(l.value) <> 'string'
       or not stark_internal.is_label_value(l.value #>> '{}')
    limit 1;
  if found then
    return format('the value of label %s must be a string of at most 63 letters, digits, -, _ or .', v_bad);
  end if;
  return null;
end;
$$;
comment on function stark_internal.labels_problem(jsonb) is 'What is wrong with these labels; null when nothing is.';
revoke all on function stark_internal.labels_problem(jsonb) from public, anon;

/** stark_internal.annotations_problem(annotations): null when they are an object of strings with keys as labels have, of at most 16 kB; else what is wrong. */
create function stark_internal.annotations_problem(p_annotations jsonb)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_bad text;
begin
  if p_annotations is null or jsonb_typeof(p_annotations) <> 'object' then
    return 'annotations must be an object of strings';
  elsif pg_catalog.octet_length(p_annotations::text) > 16384 then
    return 'at most 16 kB of annotations';
  end if;
  select a.key into v_bad from jsonb_each(p_annotations) a where not stark_internal.is_label_key(a.key) limit 1;
  if found then
    return format('annotation key %s is not [prefix/]name with a name of at most 63 letters, digits, -, _ or .', to_json(left(v_bad, 80)));
  end if;
  select a.key into v_bad from jsonb_each(p_annotations) a where jsonb_typeof(a.value) <> 'string' limit 1;
  if found then
    return format('the value of annotation %s must be a string', v_bad);
  elsif p_annotations ? 'stark/pod-deletion-cost' and p_annotations ->> 'stark/pod-deletion-cost' !~ '^-?\d{1,9}$' then
    return 'annotation stark/pod-deletion-cost must be a whole number';
  end if;
  return null;
end;
$$;
comment on function stark_internal.annotations_problem(jsonb) is 'What is wrong with these annotations; null when nothing is.';
revoke all on function stark_internal.annotations_problem(jsonb) from public, anon;

/** stark_internal.taints_problem(taints): null when it is a list of {key, value?, effect}, else what is wrong. */
create function stark_internal.taints_problem(p_taints jsonb)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  if p_taints is null or jsonb_typeof(p_taints) <> 'array' then
    return 'taints must be a list';
  end if;
  if jsonb_array_length(p_taints) > 64 or pg_catalog.octet_length(p_taints::text) > 16384 then
    return 'at most 64 taints and 16 kB of them';
  end if;
  if exists (select from jsonb_array_elements(p_taints) t where jsonb_typeof(t) <> 'object') then
    return 'each taint must be an object {key, value, effect}';
  end if;
  if exists (
    select from jsonb_array_elements(p_taints) t
    where coalesce(t ->> 'effect', '') not in ('NoSchedule', 'PreferNoSchedule', 'NoExecute')
  ) then
    return 'a taint''s effect must be NoSchedule, PreferNoSchedule or NoExecute';
  end if;
  if exists (
    select from jsonb_array_elements(p_taints) t
    where jsonb_typeof(t -> 'key') is distinct from 'string'
       or stark_internal.labels_problem(jsonb_build_object(t ->> 'key', coalesce(t -> 'value', '""'))) is not null
  ) then
    return 'a taint''s key and value follow the rules of labels';
  end if;
  if (select count(distinct (t ->> 'key', t ->> 'effect')) < count(*) from jsonb_array_elements(p_taints) t) then
    return 'two taints have the same key and effect';
  end if;
  return null;
end;
$$;
comment on function stark_internal.taints_problem(jsonb) is 'What is wrong with these taints; null when nothing is.';
revoke all on function stark_internal.taints_problem(jsonb) from public, anon;

/**
 * stark_internal.without_nulls(value): fields that are null are left out, as kube-apiserver takes them. In maps of labels and variables
 * they stay, to be refused: without one of its labels a selector would match more. config is the pack's own.
 */
create function stark_internal.without_nulls(p_value jsonb, p_depth integer default 0)
returns jsonb
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  if p_depth = 32 or strpos(p_value::text, ': null') = 0 then
    return p_value;
  end if;
  return case jsonb_typeof(p_value)
    when 'object' then (
      select coalesce(jsonb_object_agg(f.key, case when f.key in ('config', 'env', 'nodeSelector', 'matchLabels') then f.value else stark_internal.without_nulls(f.value, p_depth + 1) end), '{}')
      from jsonb_each(p_value) f where f.value <> 'null')
    when 'array' then (select jsonb_agg(stark_internal.without_nulls(e.item, p_depth + 1) order by e.ord) from jsonb_array_elements(p_value) with ordinality as e (item, ord))
    else p_value end;
end;
$$;
comment on function stark_internal.without_nulls(jsonb, integer) is 'A description without the fields that are null.';
revoke all on function stark_internal.without_nulls(jsonb, integer) from public, anon;

/** stark_internal.is_whole(value, low, high): true for a JSON number without a fraction inside the bounds. */
create function stark_internal.is_whole(p_value jsonb, p_low numeric, p_high numeric)
returns boolean
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  -- No fraction, not even .0: what is stored keeps it, and its text is then no integer to the casts that read it.
  return case when jsonb_typeof(p_value) = 'number'
    then p_value::numeric between p_low and p_high and scale(p_value::numeric) = 0
    else false end;
end;
$$;
comment on function stark_internal.is_whole(jsonb, numeric, numeric) is 'True for a whole JSON number between two bounds.';
revoke all on function stark_internal.is_whole(jsonb, numeric, numeric) from public, anon;

/** stark_internal.is_uuid(text): true for what Postgres reads as a uuid, which pg_input_is_valid tells only since Postgres 16. */
create function stark_internal.is_uuid(p_text text)
returns boolean
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  return p_text::uuid is not null;
exception when data_exception then
  return false;
end;
$$;
comment on function stark_internal.is_uuid(text) is 'True for the text of a uuid.';
revoke all on function stark_internal.is_uuid(text) from public, anon;

/** stark_internal.is_time(text, latest): true for a time that a clock can show, not after the latest one. infinity and years past 9999 are none: nothing ever ends them, and clients cannot read them. */
create function stark_internal.is_time(p_text text, p_latest timestamptz default '9999-12-31T00:00:00Z')
returns boolean
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return coalesce(p_text::timestamptz between '1970-01-01T00:00:00Z' and p_latest, false);
exception when data_exception then
  return false;
end;
$$;
comment on function stark_internal.is_time(text, timestamptz) is 'True for the text of a time that a clock can show.';
revoke all on function stark_internal.is_time(text, timestamptz) from public, anon;

/** stark_internal.resources_problem(resources, what): {cpu, memory, storage, pods} as whole numbers: millicores, MB, MB, count. */
create function stark_internal.resources_problem(p_resources jsonb, p_what text)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_key text;
begin
  if p_resources is null or jsonb_typeof(p_resources) <> 'object' then
    return format('%s must be an object of cpu (millicores), memory (MB), storage (MB) and pods', p_what);
  end if;
  select r.key into v_key from jsonb_each(p_resources) r where r.key not in ('cpu', 'memory', 'storage', 'pods') limit 1;
  if found then
    return format('%s has no resource %s: known are cpu, memory, storage and pods', p_what, to_json(left(v_key, 80)));
  end if;
  select r.key into v_key from jsonb_each(p_resources) r where not stark_internal.is_whole(r.value, 0, 1000000000) limit 1;
  if found then
    return format('%s.%s must be a whole number from 0 to 1000000000', p_what, v_key);
  end if;
  return null;
end;
$$;
comment on function stark_internal.resources_problem(jsonb, text) is 'What is wrong with these resource amounts; null when nothing is.';
revoke all on function stark_internal.resources_problem(jsonb, text) from public, anon;

/** stark_internal.tolerations_problem(tolerations): Kubernetes' shape {key?, operator?, value?, effect?, tolerationSeconds?}. */
create function stark_internal.tolerations_problem(p_tolerations jsonb)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  if jsonb_typeof(p_tolerations) <> 'array' or jsonb_array_length(p_tolerations) > 64 then
    return 'tolerations must be a list of at most 64';
  end if;
  if exists (select from jsonb_array_elements(p_tolerations) t where jsonb_typeof(t) <> 'object') then
    return 'each toleration must be an object';
  end if;
  if exists (
    select from jsonb_array_elements(p_tolerations) t, jsonb_object_keys(t) k
    where k not in ('key', 'operator', 'value', 'effect', 'tolerationSeconds')
  ) then
    return 'a toleration has only key, operator, value, effect and tolerationSeconds';
  end if;
  if exists (
    select from jsonb_array_elements(p_tolerations) t
    where coalesce(t ->> 'operator', 'Equal') not in ('Equal', 'Exists')
       or coalesce(t ->> 'effect', '') not in ('', 'NoSchedule', 'PreferNoSchedule', 'NoExecute')
       or (coalesce(t ->> 'key', '') = '' and coalesce(t ->> 'operator', 'Equal') <> 'Exists')
       or (t ->> 'operator' = 'Exists' and coalesce(t ->> 'value', '') <> '')
  ) then
    return 'a toleration needs operator Equal or Exists (Exists without a value, and alone without a key) and a known effect';
  end if;
  if exists (
    select from jsonb_array_elements(p_tolerations) t
    where coalesce(jsonb_typeof(t -> 'key'), 'string') <> 'string' or coalesce(jsonb_typeof(t -> 'value'), 'string') <> 'string'
       or (coalesce(t ->> 'key', '') <> '' and not stark_internal.is_label_key(t ->> 'key')) or not stark_internal.is_label_value(coalesce(t ->> 'value', ''))
  ) then
    return 'a toleration''s key and value follow the rules of labels';
  end if;
  if exists (
    select from jsonb_array_elements(p_tolerations) t
    where t ? 'tolerationSeconds' and not (t ->> 'effect' is not distinct from 'NoExecute' and stark_internal.is_whole(t -> 'tolerationSeconds', -9e18, 9e18))
  ) then
    return 'tolerationSeconds is a whole number, and goes with effect NoExecute';
  end if;
  return null;
end;
$$;
comment on function stark_internal.tolerations_problem(jsonb) is 'What is wrong with these tolerations; null when nothing is.';
revoke all on function stark_internal.tolerations_problem(jsonb) from public, anon;

/**
 * stark_internal.requirements_problem(requirements, what, of labels): a list of {key, operator, values?} with Kubernetes' node
 * operators: In and NotIn take values, Exists and DoesNotExist none, Gt and Lt one whole number. Keys and values are such as labels
 * have, unless they are of a node's fields.
 */
create function stark_internal.requirements_problem(p_requirements jsonb, p_what text, p_of_labels boolean default true)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  if jsonb_typeof(p_requirements) <> 'array' or jsonb_array_length(p_requirements) > 64
     or exists (select from jsonb_array_elements(p_requirements) r where jsonb_typeof(r) <> 'object') then
    return format('%s must be a list of at most 64 objects', p_what);
  end if;
  if exists (
    select from jsonb_array_elements(p_requirements) r
    where coalesce(jsonb_typeof(r -> 'key'), '') <> 'string'
       or coalesce(r ->> 'operator', '') not in ('In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt')
       or coalesce(jsonb_typeof(r -> 'values'), 'array') <> 'array'
       or exists (select from jsonb_object_keys(r) k where k not in ('key', 'operator', 'values'))
  ) then
    return format('each of %s is {key, operator: In, NotIn, Exists, DoesNotExist, Gt or Lt, values}', p_what);
  end if;
  if exists (
    select from jsonb_array_elements(p_requirements) r
    cross join lateral (select coalesce(jsonb_array_length(r -> 'values'), 0) as given) v
    where case
      when r ->> 'operator' in ('Exists', 'DoesNotExist') then v.given > 0
      when r ->> 'operator' in ('In', 'NotIn') then v.given = 0
      else v.given <> 1 or coalesce(r #>> '{values,0}', '') !~ '^-?\d{1,18}$'
    end
    or exists (select from jsonb_array_elements(coalesce(r -> 'values', '[]')) e where jsonb_typeof(e) <> 'string')
  ) then
    return format('%s: In and NotIn need values, Exists and DoesNotExist none, Gt and Lt one whole number; values are strings', p_what);
  end if;
  if p_of_labels and exists (
    select from jsonb_array_elements(p_requirements) r
    where not stark_internal.is_label_key(r ->> 'key')
       or exists (select from jsonb_array_elements_text(coalesce(r -> 'values', '[]')) e where not stark_internal.is_label_value(e))
  ) then
    return format('%s: keys and values follow the rules of labels', p_what);
  end if;
  return null;
end;
$$;
comment on function stark_internal.requirements_problem(jsonb, text, boolean) is 'What is wrong with these match expressions; null when nothing is.';
revoke all on function stark_internal.requirements_problem(jsonb, text, boolean) from public, anon;
/** stark_internal.unknown_field(object, known): a field that is not known, quoted; null when there is none. */
create function stark_internal.unknown_field(p_value jsonb, p_known text[])
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  return (select to_json(left(k, 80))::text from jsonb_object_keys(case jsonb_typeof(p_value) when 'object' then p_value else '{}' end) k where k <> all (p_known) limit 1);
end;
$$;
comment on function stark_internal.unknown_field(jsonb, text[]) is 'A field of an object that is not known.';
revoke all on function stark_internal.unknown_field(jsonb, text[]) from public, anon;

/**
 * stark_internal.ports_problem(ports): a list of {name, port?, strategy?}; names are DNS labels, each once. A port with a number is
 * fixed, one without is random; strategy may say the same. Unknown fields are refused: containerPort would mean nothing here.
 */
create function stark_internal.ports_problem(p_ports jsonb)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_field text;
begin
  if jsonb_typeof(p_ports) <> 'array' or jsonb_array_length(p_ports) > 32 then
    return 'ports must be a list of at most 32';
  end if;
  if exists (select from jsonb_array_elements(p_ports) p where jsonb_typeof(p) <> 'object') then
    return 'each port is {name} or {name, port}';
  end if;
  select stark_internal.unknown_field(p, array['name', 'strategy', 'port']) into v_field
    from jsonb_array_elements(p_ports) p
    where stark_internal.unknown_field(p, array['name', 'strategy', 'port']) is not null limit 1;
  if found then
    return format('a port has no field %s; the number that a pack listens on is "port"', v_field);
  end if;
  if exists (
    select from jsonb_array_elements(p_ports) p
    where jsonb_typeof(p -> 'name') is distinct from 'string'
       or not stark_internal.is_dns_label(p ->> 'name')
       or (p ? 'port' and not stark_internal.is_whole(p -> 'port', 1, 65535))
       or (p ? 'strategy' and p -> 'strategy' is distinct from (case when p ? 'port' then '"fixed"' else '"random"' end)::jsonb)
  ) then
    return 'each port is {name}, which is random, or {name, port: 1 to 65535}, which is fixed';
  end if;
  if (select count(distinct p ->> 'name') < count(*) from jsonb_array_elements(p_ports) p) then
    return 'two ports have the same name';
  end if;
  if (select count(distinct p -> 'port') < count(*) from jsonb_array_elements(p_ports) p where p ? 'port') then
    return 'two fixed ports have the same number';
  end if;
  return null;
end;
$$;
comment on function stark_internal.ports_problem(jsonb) is 'What is wrong with these port declarations; null when nothing is.';
revoke all on function stark_internal.ports_problem(jsonb) from public, anon;

/**
 * stark_internal.probe_problem(probe, what, ports): a probe by Kubernetes' names. httpGet asks one of the pod's own ports, by
 * its name or its fixed number: an agent asks nobody else on its machine on a user's behalf. Only readiness can also be the
 * pack's own word (packReady), and only readiness may need several successes.
 */
create function stark_internal.probe_problem(p_probe jsonb, p_what text, p_ports jsonb)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_key text;
  v_get jsonb := p_probe -> 'httpGet';
begin
  if jsonb_typeof(p_probe) <> 'object' then
    return format('%s must be an object', p_what);
  end if;
  if p_what = 'spec.readinessProbe' and p_probe ? 'packReady' then
    return case when p_probe <> '{"packReady": {}}' then format('%s.packReady is {} and stands alone', p_what) end;
  end if;
  v_key := stark_internal.unknown_field(p_probe, array['httpGet', 'initialDelaySeconds', 'periodSeconds', 'timeoutSeconds', 'successThreshold', 'failureThreshold']);
  if v_key is not null then
    return format('%s has no field %s', p_what, v_key);
  end if;
  if coalesce(jsonb_typeof(v_get), '') <> 'object' then
    return format('%s needs httpGet: {path, port}%s', p_what, case when p_what = 'spec.readinessProbe' then ', or packReady: {}' end);
  end if;
  v_key := stark_internal.unknown_field(v_get, array['path', 'port']);
  if v_key is not null then
    return format('%s.httpGet has no field %s', p_what, v_key);
  end if;
  if v_get ? 'path' and (jsonb_typeof(v_get -> 'path') <> 'string' or v_get ->> 'path' !~ '^/[!-~]*$' or length(v_get ->> 'path') > 1024) then
    return format('%s.httpGet.path must start with / and be at most 1024 characters of a URL', p_what);
  end if;
  if not exists (
    select from jsonb_array_elements(case jsonb_typeof(p_ports) when 'array' then p_ports else '[]' end) p
    where p -> 'name' = v_get -> 'port' or p -> 'port' = v_get -> 'port'
  ) then
    return format('%s.httpGet.port must be the name, or the fixed number, of one of spec.ports', p_what);
  end if;
  select k into v_key
    from (values ('initialDelaySeconds', 0), ('periodSeconds', 1), ('timeoutSeconds', 1), ('successThreshold', 1), ('failureThreshold', 1)) t (k, least)
    where p_probe ? k and not stark_internal.is_whole(p_probe -> k, least, 3600) limit 1;
  if found then
    return format('%s.%s must be a whole number from %s to 3600', p_what, v_key, case v_key when 'initialDelaySeconds' then 0 else 1 end);
  end if;
  if p_what <> 'spec.readinessProbe' and coalesce(p_probe -> 'successThreshold', '1') <> '1' then
    return format('%s.successThreshold must be 1', p_what);
  end if;
  return null;
end;
$$;
comment on function stark_internal.probe_problem(jsonb, text, jsonb) is 'What is wrong with this probe of a pod; null when nothing is.';
revoke all on function stark_internal.probe_problem(jsonb, text, jsonb) from public, anon;

/** stark_internal.quota_problem(quota): most that a namespace may use at once, {pods?, cpu?, memory?, storage?, deployments?}; null when well formed. */
create function stark_internal.quota_problem(p_quota jsonb)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_key text;
begin
  if p_quota is null or jsonb_typeof(p_quota) <> 'object' then
    return 'quota must be an object of whole numbers: pods, cpu (millicores), memory (MB), storage (MB), deployments';
  end if;
  v_key := stark_internal.unknown_field(p_quota, array['pods', 'cpu', 'memory', 'storage', 'deployments']);
  if v_key is not null then
    return format('quota has no resource %s: known are pods, cpu, memory, storage and deployments', v_key);
  end if;
  select q.key into v_key from jsonb_each(p_quota) q where not stark_internal.is_whole(q.value, 0, 1000000000000) limit 1;
  if found then
    return format('quota.%s must be a whole number from 0 to 1000000000000', v_key);
  end if;
  return null;
end;
$$;
comment on function stark_internal.quota_problem(jsonb) is 'What is wrong with this quota; null when nothing is.';
revoke all on function stark_internal.quota_problem(jsonb) from public, anon;

/** stark_internal.limit_range_problem(range): {default?, min?, max?}, each {cpu?, memory?, storage?}, with min <= default <= max; null when well formed. */
create function stark_internal.limit_range_problem(p_range jsonb)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_bad record;
begin
  if p_range is null or jsonb_typeof(p_range) <> 'object'
     or exists (select from jsonb_object_keys(p_range) k where k not in ('default', 'min', 'max'))
     or exists (select from jsonb_each(p_range) r where jsonb_typeof(r.value) <> 'object') then
    return 'limit_range must be an object of default, min and max, each an object of cpu, memory and storage';
  end if;
  select r.key as bound, to_json(left(a.key, 80)) as resource into v_bad from jsonb_each(p_range) r, jsonb_each(r.value) a
    where a.key not in ('cpu', 'memory', 'storage') limit 1;
  if found then
    return format('limit_range.%s has no resource %s: known are cpu, memory and storage', v_bad.bound, v_bad.resource);
  end if;
  select r.key as bound, a.key as resource into v_bad from jsonb_each(p_range) r, jsonb_each(r.value) a
    where not stark_internal.is_whole(a.value, 0, 1000000000) limit 1;
  if found then
    return format('limit_range.%s.%s must be a whole number from 0 to 1000000000', v_bad.bound, v_bad.resource);
  end if;
  select k as resource into v_bad from unnest(array['cpu', 'memory', 'storage']) k
    where (p_range #>> array['min', k])::bigint > (p_range #>> array['max', k])::bigint
       or (p_range #>> array['default', k])::bigint > (p_range #>> array['max', k])::bigint
       or (p_range #>> array['default', k])::bigint < (p_range #>> array['min', k])::bigint limit 1;
  if found then
    return format('limit_range needs min <= default <= max of %s', v_bad.resource);
  end if;
  return null;
end;
$$;
comment on function stark_internal.limit_range_problem(jsonb) is 'What is wrong with this limit range; null when nothing is.';
revoke all on function stark_internal.limit_range_problem(jsonb) from public, anon;
