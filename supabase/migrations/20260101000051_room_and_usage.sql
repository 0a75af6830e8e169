-- What nodes have left, and who takes what: sums that PostgREST cannot make by itself. Each caller's are about what that caller may read.

create view stark.node_room with (security_invoker = true) as
select n.id as node_id, n.name, n.runtime, n.status, n.unschedulable, n.labels,
       (n.allocatable ->> 'cpu')::bigint - (n.allocated ->> 'cpu')::bigint as free_cpu,
       (n.allocatable ->> 'memory')::bigint - (n.allocated ->> 'memory')::bigint as free_memory,
       (n.allocatable ->> 'storage')::bigint - (n.allocated ->> 'storage')::bigint as free_storage,
       (n.allocatable ->> 'pods')::bigint - (n.allocated ->> 'pods')::bigint as free_pods
from stark.nodes n;
comment on view stark.node_room is 'What each node has left for pods: allocatable less what its pods have asked for; below 0 where its amounts were lowered.';
grant select on stark.node_room to authenticated, service_role;

create view stark.namespace_usage with (security_invoker = true) as
select p.namespace, p.created_by as user_id, u.email, count(*) as pods,
       sum(p.cpu_request) as cpu, sum(p.memory_request) as memory, sum(p.storage_request) as storage
from stark.pods p left join stark.profiles u on u.id = p.created_by
where p.finished_at is null
group by p.namespace, p.created_by, u.email;
comment on view stark.namespace_usage is 'What the live pods of each user in each namespace have asked for: what its quota counts.';
grant select on stark.namespace_usage to authenticated, service_role;
