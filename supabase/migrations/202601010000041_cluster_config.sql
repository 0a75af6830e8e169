-- Cluster configuration: one typed row, so that a value out of range cannot be stored, whoever writes.

create table stark.cluster_config (
  only_row boolean primary key default true,
  scheduling_policy text not null default 'spread',
  scheduling_seed bigint not null default 0,
  updated_at timestamptz not null default now(),
  resource_version bigint not null default 1,
  constraint there_is_one_row check (only_row),
  constraint scheduling_policy_is_known check (scheduling_policy in ('spread', 'bin_pack', 'least_loaded', 'random', 'affinity'))
);
comment on table stark.cluster_config is 'What the cluster as a whole is set to. Always one row.';
comment on column stark.cluster_config.only_row is 'Keeps it one row.';
comment on column stark.cluster_config.scheduling_policy is 'How nodes are scored: spread, bin_pack, least_loaded, random, affinity.';
comment on column stark.cluster_config.scheduling_seed is 'Seed of policy random: the same seed and cluster give the same places.';
comment on column stark.cluster_config.resource_version is 'Grows with each change.';

create trigger _000_lock_cluster before insert or update or delete on stark.cluster_config
  for each statement execute function stark_internal.lock_cluster_first();
create trigger _100_bump_version before update on stark.cluster_config
  for each row when (old.* is distinct from new.*) execute function stark_internal.bump_version();

insert into stark.cluster_config (only_row) values (true);

alter table stark.cluster_config enable row level security;
create policy "members read the configuration" on stark.cluster_config for select to authenticated
  using ((select stark_internal.is_member()));
grant select on stark.cluster_config to authenticated, service_role;
