-- What happened to each pod, read from the event log.
-- The id is text as in the log, so that its index is used.

create view stark.pod_history with (security_invoker = true) as
select e.seq, e.time, e.type, e.namespace, e.object_id as pod_id,
       e.object ->> 'name' as pod_name, e.object ->> 'pack_name' as pack_name, e.object ->> 'version' as version,
       e.object ->> 'status' as status, e.object ->> 'status_reason' as status_reason, e.object ->> 'status_message' as status_message,
       e.object ->> 'node_name' as node_name, (e.object ->> 'restarts')::integer as restarts,
       (e.object ->> 'resource_version')::bigint as resource_version, e.actor, e.origin, e.correlation_id
from stark.events e
where e.kind = 'pod';
comment on view stark.pod_history is 'One row for each change of a pod, also of pods that are gone, for as long as events are kept.';
grant select on stark.pod_history to authenticated, service_role;
