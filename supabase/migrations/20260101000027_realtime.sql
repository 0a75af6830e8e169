-- Who may join which topic. The Realtime server asks these policies at join and when a token changes; the topic stands in
-- realtime.topic(), the extension in the row. Topics that do not start with stark: are none of Stark's business.

/**
 * stark_internal.may_use_topic(topic, extension, access) -> boolean: extension broadcast or presence, access read or write.
 *   stark:node:<id>         read broadcast: who may speak for the node
 *   stark:presence          agents: read broadcast (so the join succeeds), write presence; they do not see each other
 *   stark:heartbeat         agents: read presence (there is none), write broadcast; they do not hear each other
 *   stark:namespace:<name>  read broadcast: events:get in the namespace
 *   stark:cluster           read broadcast: nodes:get, packs:get and events:get in the cluster
 *   stark:pod:<id>          read broadcast: logs:get in the pod's namespace, or an own pod; write broadcast: the agent that runs it
 * These three have :<epoch> behind them once somebody has lost the right to hear them, and are nobody's without it or with another.
 * The watcher holds the secret key and passes every policy.
 */
create function stark_internal.may_use_topic(p_topic text, p_extension text, p_access text)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_temp
as $$
declare
  v_rest text := substring(p_topic from '^stark:[a-z]+:(.+)$');
  v_name text := split_part(v_rest, ':', 1);
  v_id uuid := case when v_name ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then v_name::uuid end;
  v_what text := p_access || ' ' || p_extension;
begin
  -- Definer: policies are evaluated as the joining user, who may not read every table that the answer needs.
  if p_topic is null or left(p_topic, 6) <> 'stark:' then
    return false;
  end if;
  case split_part(p_topic, ':', 2)
    when 'node' then
      return v_what = 'read broadcast' and v_rest = v_name and exists (
        select from stark.nodes n
        where n.id = v_id and stark_internal.may_act_as_agent(n));
    when 'presence' then
      return v_rest is null and v_what in ('read broadcast', 'write presence') and stark_internal.has_permission('nodes:connect', null, true);
    when 'heartbeat' then
      return v_rest is null and v_what in ('read presence', 'write broadcast') and stark_internal.has_permission('nodes:connect', null, true);
    when 'namespace' then
      return v_what = 'read broadcast' and exists (select from stark.namespaces n where n.name = v_name)
        and p_topic = stark_internal.present_topic('stark:namespace:' || v_name) and stark_internal.has_permission('events:get', v_name);
    when 'cluster' then
      return p_topic = stark_internal.present_topic('stark:cluster') and v_what = 'read broadcast' and stark_internal.has_permission('nodes:get')
        and stark_internal.has_permission('packs:get') and stark_internal.has_permission('events:get');
    when 'pod' then
      return exists (
        select from stark.pods p left join stark.nodes n on n.id = p.node_id
        where p.id = v_id and p_topic = stark_internal.present_topic('stark:pod:' || p.id, 'stark:namespace:' || p.namespace)
          and case v_what
            when 'read broadcast' then stark_internal.has_permission('logs:get', p.namespace, p.created_by = (select auth.uid()))
            when 'write broadcast' then n.id is not null
              and stark_internal.may_act_as_agent(n)
            else false
          end);
    else
      return false;
  end case;
end;
$$;
comment on function stark_internal.may_use_topic(text, text, text) is 'Whether the caller may read or write this extension of one of Stark''s topics.';
revoke all on function stark_internal.may_use_topic(text, text, text) from public, anon;
grant execute on function stark_internal.may_use_topic(text, text, text) to authenticated;

create policy "Stark: who may read a topic" on realtime.messages for select to authenticated
  using (stark_internal.may_use_topic((select realtime.topic()), extension, 'read'));
create policy "Stark: who may write a topic" on realtime.messages for insert to authenticated
  with check (stark_internal.may_use_topic((select realtime.topic()), extension, 'write'));
