-- Stand-in for pg_net 0.20: the same tables, functions and grants. The stack's net worker sends what commits to the
-- queue; it hears of it on channel pg_net.

create schema if not exists net;

create domain net.http_method as text
check (lower(value) in ('get', 'post', 'delete'));

create unlogged table net.http_request_queue (
  id bigserial,
  method net.http_method not null,
  url text not null,
  headers jsonb,
  body bytea,
  timeout_milliseconds integer not null
);

create unlogged table net._http_response (
  id bigint,
  status_code integer,
  content_type text,
  headers jsonb,
  content text,
  timed_out boolean,
  error_msg text,
  created timestamptz not null default pg_catalog.now()
);
create index on net._http_response (created);

create type net.request_status as enum ('PENDING', 'SUCCESS', 'ERROR');
create type net.http_response as (status_code integer, headers jsonb, body text);
create type net.http_response_result as (status net.request_status, message text, response net.http_response);

/** The worker is a connection of the stack and known by its name. */
create function net._worker_is_up()
returns boolean
language sql
volatile
set search_path = ''
as $$
  select exists (select from pg_catalog.pg_stat_activity where application_name ~ '^pg_net ')
$$;

create function net.check_worker_is_up()
returns void
language plpgsql
set search_path = ''
as $$
begin
  if not net._worker_is_up() then
    raise exception 'the pg_net background worker is not up'
    using
      detail = 'the pg_net background worker is down due to an internal error and cannot process requests',
      hint = 'make sure that you didn''t modify any of pg_net internal tables';
  end if;
end
$$;
comment on function net.check_worker_is_up()
is 'raises an exception if the pg_net background worker is not up, otherwise it doesn''t return anything';

create function net.wait_until_running()
returns void
language plpgsql
set search_path = ''
as $$
begin
  while not net._worker_is_up() loop
    perform pg_catalog.pg_sleep(0.05);
    perform pg_catalog.pg_stat_clear_snapshot();
  end loop;
end
$$;
comment on function net.wait_until_running() is 'waits until the worker is running';

/** A notification leaves at commit, once a transaction, and never after a rollback: just what the real one does. */
create function net.wake()
returns void
language plpgsql
set search_path = ''
as $$
begin
  notify pg_net;
end
$$;

create function net.worker_restart()
returns boolean
language plpgsql
set search_path = ''
as $$
begin
  notify pg_net, 'restart';
  return true;
end
$$;

create function net._await_response(request_id bigint)
returns boolean
language plpgsql
set search_path = ''
as $$
begin
  while not exists (select from net._http_response r where r.id = request_id) loop
    perform pg_catalog.pg_sleep(0.05);
  end loop;
  return true;
end
$$;

create function net._urlencode_string(string character varying)
returns text
language sql
immutable
set search_path = ''
as $$
  select coalesce(
    pg_catalog.string_agg(
      case
        when c ~ '^[A-Za-z0-9_.~-]$' then c
        else pg_catalog.regexp_replace(
          pg_catalog.upper(pg_catalog.encode(pg_catalog.convert_to(c, 'utf8'), 'hex')), '(..)', '%\1', 'g'
        )
      end,
      '' order by i
    ),
    ''
  )
  from pg_catalog.regexp_split_to_table(string, '') with ordinality as characters (c, i)
  where c <> ''
$$;

/** What libcurl says of an address that is none; null when it can be taken apart. */
create function net._url_problem(url text)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  part text[];
  host text;
  port text;
begin
  if url = '' or pg_catalog.octet_length(url) > 8000000 or url ~ '[\x01-\x20\x7f]' then
    return 'Malformed input to a URL function';
  end if;
  part := pg_catalog.regexp_match(url, '^([a-z][a-z0-9+.-]{0,39}):(/*)([^/?#]*)', 'i');
  if part is null then
    return 'Bad scheme';
  end if;
  if pg_catalog.lower(part[1]) = 'file' then
    return case when url ~* '^file:(/[^/]|//(/|localhost/|127\.0\.0\.1/))' then null else 'Bad file:// URL' end;
  end if;
  if pg_catalog.lower(part[1]) !~ '^(https?|wss?|ftps?|gophers?|dict|imaps?|ldaps?|mqtt|pop3s?|rtsp|scp|sftp|smbs?|smtps?|telnet|tftp)$' then
    return 'Unsupported URL scheme';
  end if;
  if pg_catalog.length(part[2]) not between 1 and 3 then
    return 'Unsupported number of slashes following scheme';
  end if;
  host := pg_catalog.regexp_replace(part[3], '^.*@', '');
  if host ~ '^\[' then
    if host !~ '^\[[0-9a-fA-F:.]+(%[^\]]+)?\]' then
      return 'Bad IPv6 address';
    end if;
    port := pg_catalog.regexp_replace(host, '^\[.*\]', '');
    host := pg_catalog.substring(host, '^\[.*\]');
  else
    port := coalesce(pg_catalog.substring(host, ':.*$'), '');
    host := pg_catalog.regexp_replace(host, ':.*$', '');
  end if;
  if port !~ '^(:[0-9]*)?$' or pg_catalog.length(pg_catalog.ltrim(port, ':0')) > 5 then
    return 'Port number was not a decimal number between 0 and 65535';
  end if;
  if port ~ '[0-9]' and pg_catalog.ltrim(port, ':')::numeric > 65535 then
    return 'Port number was not a decimal number between 0 and 65535';
  end if;
  if host = '' then
    return 'No host part in the URL';
  end if;
  if host !~ '^\[' and (host ~ '[]!@{}[\\$''"^`*<>=;,+&()]' or host ~ '%(?![0-9a-fA-F]{2})') then
    return 'Bad hostname';
  end if;
  return null;
end
$$;

/**
 * The parameters go behind those the address has, before its fragment; an address without a path gets one. What is no
 * address is refused here, and so in the call of net.http_*, in the words of the real one.
 */
create function net._encode_url_with_params_array(url text, params_array text[])
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  problem text := net._url_problem(url);
  fragment text := coalesce(pg_catalog.substring(url, '#.*$'), '');
  address text := pg_catalog.regexp_replace(url, '#.*$', '');
  parameter text;
begin
  if url is null or params_array is null then
    return null;
  end if;
  if problem is not null then
    raise exception 'invalid URL "%": %', url, problem using errcode = 'internal_error';
  end if;
  address := pg_catalog.regexp_replace(address, '^((?!file)[a-z][a-z0-9+.-]*):/{1,3}([^/?]*)(\?|$)', '\1://\2/\3', 'i');
  foreach parameter in array params_array loop
    address := address || case when address !~ '\?' then '?' when address ~ '[?&]$' then '' else '&' end || parameter;
  end loop;
  return address || fragment;
end
$$;

create function net._encode_params(params jsonb)
returns text[]
language sql
immutable
set search_path = ''
as $$
  select coalesce(
    pg_catalog.array_agg(net._urlencode_string(key) || '=' || net._urlencode_string(value)),
    '{}'
  )
  from pg_catalog.jsonb_each_text(params)
$$;

create function net.http_get(
  url text,
  params jsonb default '{}'::jsonb,
  headers jsonb default '{}'::jsonb,
  timeout_milliseconds integer default 5000
)
returns bigint
language plpgsql
as $$
declare
  request_id bigint;
begin
  insert into net.http_request_queue (method, url, headers, timeout_milliseconds)
  values (
    'GET',
    net._encode_url_with_params_array(url, net._encode_params(params)),
    headers,
    timeout_milliseconds
  )
  returning id into request_id;
  perform net.wake();
  return request_id;
end
$$;

create function net.http_post(
  url text,
  body jsonb default '{}'::jsonb,
  params jsonb default '{}'::jsonb,
  headers jsonb default '{"Content-Type": "application/json"}'::jsonb,
  timeout_milliseconds integer default 5000
)
returns bigint
language plpgsql
as $$
declare
  request_id bigint;
  content_type text := (
    select h.value
    from pg_catalog.jsonb_each_text(coalesce(headers, '{}'::jsonb)) as h (name, value)
    where pg_catalog.lower(h.name) = 'content-type'
    limit 1
  );
begin
  if content_type is null then
    headers := headers || '{"Content-Type": "application/json"}'::jsonb;
  elsif content_type <> 'application/json' then
    raise exception 'Content-Type header must be "application/json"';
  end if;
  insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
  values (
    'POST',
    net._encode_url_with_params_array(url, net._encode_params(params)),
    headers,
    pg_catalog.convert_to(body::text, 'utf8'),
    timeout_milliseconds
  )
  returning id into request_id;
  perform net.wake();
  return request_id;
end
$$;

create function net.http_delete(
  url text,
  params jsonb default '{}'::jsonb,
  headers jsonb default '{}'::jsonb,
  timeout_milliseconds integer default 5000,
  body jsonb default null
)
returns bigint
language plpgsql
as $$
declare
  request_id bigint;
begin
  insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
  values (
    'DELETE',
    net._encode_url_with_params_array(url, net._encode_params(params)),
    headers,
    pg_catalog.convert_to(body::text, 'utf8'),
    timeout_milliseconds
  )
  returning id into request_id;
  perform net.wake();
  return request_id;
end
$$;

create function net._http_collect_response(request_id bigint, async boolean default true)
returns net.http_response_result
language plpgsql
as $$
declare
  answer net._http_response;
begin
  if not async then
    perform net._await_response(request_id);
  end if;
  select * into answer from net._http_response r where r.id = request_id;
  if not found or answer.error_msg is not null then
    return ('ERROR', coalesce(answer.error_msg, 'request matching request_id not found'), null)::net.http_response_result;
  end if;
  return (
    'SUCCESS',
    'ok',
    (answer.status_code, answer.headers, answer.content)::net.http_response
  )::net.http_response_result;
end
$$;

create function net.http_collect_response(request_id bigint, async boolean default true)
returns net.http_response_result
language plpgsql
as $$
begin
  raise notice 'The net.http_collect_response function is deprecated.';
  return net._http_collect_response(request_id, async);
end
$$;

grant usage on schema net to public;
grant all on all sequences in schema net to public;
grant all on all tables in schema net to public;

-- What a hosted project grants after creating the extension.
grant usage on schema net to supabase_functions_admin, postgres, anon, authenticated, service_role;

notify pg_net;
