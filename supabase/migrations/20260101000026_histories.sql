-- What happened to each pod and each node, read from the event log, also of those that are gone, for as long as events are kept.
-- Who may read an event may read its line here. Ids are text as in the log, so that its index is used.

create view stark.pod_history with (security_invoker = true) as
select e.seq, e.time, e.type, e.namespace, e.object_id as pod_id,
       e.object ->> 'name' as pod_name, e.object ->> 'pack_name' as pack_name, e.object ->> 'version' as version,
       e.object ->> 'status' as status, e.object ->> 'status_reason' as status_reason, e.object ->> 'status_message' as status_message,
       e.object ->> 'node_name' as node_name, (e.object ->> 'restarts')::integer as restarts,
       (e.object ->> 'resource_version')::bigint as resource_version, e.actor, e.origin, e.correlation_id
from stark.events e
where e.kind = 'pod';
comment on view stark.pod_history is 'One row for each change of a pod.';
grant select on stark.pod_history to authenticated, service_role;

create view stark.node_history with (security_invoker = true) as
select e.seq, e.time, e.type, e.object_id as node_id,
       e.object ->> 'name' as node_name, e.object ->> 'status' as status, e.object ->> 'status_reason' as status_reason,
       (e.object ->> 'unschedulable')::boolean as unschedulable, e.object -> 'labels' as labels, e.object -> 'taints' as taints,
       e.object -> 'allocatable' as allocatable, (e.object ->> 'incarnation')::bigint as incarnation,
       (e.object ->> 'resource_version')::bigint as resource_version, e.actor, e.origin, e.correlation_id
from stark.events e
where e.kind = 'node';
comment on view stark.node_history is 'One row for each change of a node.';
grant select on stark.node_history to authenticated, service_role;
