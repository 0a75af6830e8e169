-- Restores: what the first call does in a database that was set back to an earlier state, copied or moved.

/**
 * stark_internal.reset_after_restore(now): after a restore. Every incarnation is over and its successors count 10,000 higher, so that no
 * agent is taken for one of the time that was lost; who was connected connects anew, under whichever installation, and keeps the
 * pods that the database knows. Events count a billion higher. Nobody has watched yet. The cluster lock is held.
 * Called by itself where the server or its timeline is another one; by hand after tables were filled from a dump in place.
 */
create function stark_internal.reset_after_restore(p_now timestamptz default now())
returns void
language plpgsql
set search_path = pg_temp
set jit = off
as $$
begin
  update stark_internal.database_identity i set id = gen_random_uuid(), since = p_now where i.only_row;
  update stark_internal.event_heads h set seq = h.seq + 1000000000 where h.topic = '*';
  update stark_internal.node_watch w set watched = '{}', called_at = null where w.only_row;
  delete from stark_internal.node_secrets s where true;
  update stark.nodes n set
      incarnation = n.incarnation + 10000,
      installation = null,
      status = case when n.status in ('healthy', 'unhealthy') then 'unhealthy' else n.status end,
      status_reason = case when n.status in ('healthy', 'unhealthy') then 'DatabaseRestored' else n.status_reason end,
      updated_at = p_now
    where true;
  perform stark_internal.request_sync(array(select n.id from stark.nodes n where n.status = 'unhealthy'));
end;
$$;
comment on function stark_internal.reset_after_restore(timestamptz) is 'Has counters go on behind what was given out in the time that a restore took back.';
revoke all on function stark_internal.reset_after_restore(timestamptz) from public, anon;
