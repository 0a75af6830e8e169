-- Stand-in for supabase_vault 0.3.1. The secret column is AES-256-CBC ciphertext followed by an HMAC-SHA-256 over the
-- row's id, the nonce and the ciphertext, in base64. The root key is a file in the data folder, so that neither a dump
-- of the database nor a replica of its tables can be read.

/** The key for one purpose, derived from the root key. Fails when the file is missing: never a made-up key. */
create function vault._derive_key(purpose text)
returns bytea
language plpgsql
volatile
set search_path = ''
as $$
begin
  return extensions.hmac(
    pg_catalog.convert_to(purpose, 'utf8'),
    pg_catalog.decode(pg_catalog.btrim(pg_catalog.pg_read_file('vault.key'), E' \n'), 'hex'),
    'sha256'
  );
end
$$;

create function vault._crypto_aead_det_noncegen()
returns bytea
language sql
volatile
set search_path = ''
as $$
  select extensions.gen_random_bytes(16)
$$;

create function vault._crypto_aead_det_encrypt(
  message bytea,
  additional bytea,
  key_id bigint,
  context bytea default 'pgsodium',
  nonce bytea default null
)
returns bytea
language plpgsql
volatile
set search_path = ''
as $$
declare
  ciphertext bytea := extensions.encrypt_iv(message, vault._derive_key('encrypt'), nonce, 'aes-cbc/pad:pkcs');
begin
  return ciphertext || extensions.hmac(
    pg_catalog.int8send(pg_catalog.length(additional)::bigint) || additional || nonce || ciphertext,
    vault._derive_key('authenticate'),
    'sha256'
  );
end
$$;

create function vault._crypto_aead_det_decrypt(
  message bytea,
  additional bytea,
  key_id bigint,
  context bytea default 'pgsodium',
  nonce bytea default null
)
returns bytea
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  ciphertext bytea := pg_catalog.substring(message, 1, greatest(pg_catalog.length(message) - 32, 0));
begin
  if pg_catalog.length(message) < 48
    or pg_catalog.substring(message, pg_catalog.length(message) - 31)
      is distinct from extensions.hmac(
        pg_catalog.int8send(pg_catalog.length(additional)::bigint) || additional || nonce || ciphertext,
        vault._derive_key('authenticate'),
        'sha256'
      )
  then
    raise exception 'vault: the secret was changed outside the vault, or its key file is another one'
    using errcode = 'data_corrupted';
  end if;
  return extensions.decrypt_iv(ciphertext, vault._derive_key('encrypt'), nonce, 'aes-cbc/pad:pkcs');
end
$$;

create table vault.secrets (
  id uuid primary key default pg_catalog.gen_random_uuid(),
  name text,
  description text not null default '',
  secret text not null,
  key_id uuid,
  nonce bytea default vault._crypto_aead_det_noncegen(),
  created_at timestamptz not null default current_timestamp,
  updated_at timestamptz not null default current_timestamp
);
comment on table vault.secrets is 'Table with encrypted `secret` column for storing sensitive information on disk.';
create unique index on vault.secrets (name) where name is not null;

create view vault.decrypted_secrets as
select
  s.id,
  s.name,
  s.description,
  s.secret,
  pg_catalog.convert_from(
    vault._crypto_aead_det_decrypt(
      message => pg_catalog.decode(s.secret, 'base64'),
      additional => pg_catalog.convert_to(s.id::text, 'utf8'),
      key_id => 0,
      nonce => s.nonce
    ),
    'utf8'
  ) as decrypted_secret,
  s.key_id,
  s.nonce,
  s.created_at,
  s.updated_at
from vault.secrets s;

create function vault.create_secret(
  new_secret text,
  new_name text default null,
  new_description text default '',
  new_key_id uuid default null
)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  secret_id uuid := pg_catalog.gen_random_uuid();
  fresh bytea := vault._crypto_aead_det_noncegen();
begin
  insert into vault.secrets (id, nonce, name, description, secret)
  values (
    secret_id,
    fresh,
    new_name,
    new_description,
    pg_catalog.encode(
      vault._crypto_aead_det_encrypt(
        message => pg_catalog.convert_to(new_secret, 'utf8'),
        additional => pg_catalog.convert_to(secret_id::text, 'utf8'),
        key_id => 0,
        nonce => fresh
      ),
      'base64'
    )
  );
  return secret_id;
end
$$;

create function vault.update_secret(
  secret_id uuid,
  new_secret text default null,
  new_name text default null,
  new_description text default null,
  new_key_id uuid default null
)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  fresh bytea := vault._crypto_aead_det_noncegen();
begin
  update vault.secrets s
  set
    -- A nonce is used once: CBC would show which beginnings two versions share.
    nonce = case when new_secret is null then s.nonce else fresh end,
    secret = case
      when new_secret is null then s.secret
      else pg_catalog.encode(
        vault._crypto_aead_det_encrypt(
          message => pg_catalog.convert_to(new_secret, 'utf8'),
          additional => pg_catalog.convert_to(s.id::text, 'utf8'),
          key_id => 0,
          nonce => fresh
        ),
        'base64'
      )
    end,
    name = coalesce(new_name, s.name),
    description = coalesce(new_description, s.description),
    updated_at = pg_catalog.now()
  where s.id = secret_id;
end
$$;

revoke all on function
  vault._derive_key,
  vault._crypto_aead_det_encrypt,
  vault._crypto_aead_det_decrypt,
  vault._crypto_aead_det_noncegen,
  vault.create_secret,
  vault.update_secret
from public;

select pg_catalog.pg_extension_config_dump('vault.secrets', '');

-- What a hosted project grants after creating the extension.
grant usage on schema vault to postgres with grant option;
grant select, delete on vault.secrets, vault.decrypted_secrets to postgres with grant option;
grant execute on function vault.create_secret, vault.update_secret, vault._crypto_aead_det_decrypt
to postgres with grant option;
grant usage on schema vault to service_role;
grant select, delete on vault.secrets, vault.decrypted_secrets to service_role;
grant execute on function vault.create_secret, vault.update_secret, vault._crypto_aead_det_decrypt to service_role;
