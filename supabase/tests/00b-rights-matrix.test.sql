-- Who may do what: each table and each function of schema stark, asked by each kind of caller, cell by cell. This file is the
-- data; what the actors, the things and the columns are stands in support/rights.sql, and tests/security/rights-matrix.test.ts
-- reads the same two blocks and asks the same over HTTP. A new table or function needs a line here.
begin;
select * from no_plan();
select tests.make_rights();

-- Tables: what of the own (small letters) and of the stranger's (capitals) is seen: a, b pods of namespace a, b and all about them;
-- h the stranger's pod on the own node; n node, p private pack, q public pack, t join token, u user. * rows that are nobody's,
-- - no row, ! refused. The last word is the column that names the thing.
create temporary table seen as select * from tests.rights_matrix($tables$
                      anon none off  viewer node agent user dev  depl oper admin viewer-a user-a dev-a oper-a admin-a secret
pods                  !    -    -    ABabh  abh  abh   abh  ABabh ABabh ABabh ABabh Aa       a      Aa    Aa     Aa      AB     id
pod_logs              !    -    -    ABabh  -    -     ab   ABabh ABabh ABabh ABabh Aa       a      Aa    Aa     Aa      AB     pod_id
pod_env               !    -    -    -      -    -     ab   ab   ab   ABabh ABabh -       a      a     Aa     Aa      AB     pod_id
pod_history           !    -    -    ABabh  -    -     ab   ABabh ABabh ABabh ABabh Aa       a      Aa    Aa     Aa      AB     pod_id
events                !    -    -    ABDENPQabdehnpq -    -     abdenpq ABDENPQabdehnpq ABDENPQabdehnpq ABDENPQabdehnpq ABDENPQabdehnpq ADad       ad      ADad    ADad     ADad      ABDENPQ  object_id
deployments           !    -    -    DEde   -    -     de   DEde DEde DEde DEde  Dd       d      Dd    Dd     Dd      DE     id
deployment_revisions  !    -    -    DEde   -    -     de   DEde DEde DEde DEde  Dd       d      Dd    Dd     Dd      DE     deployment_id
autoscalers           !    -    -    DEde   -    -     de   DEde DEde DEde DEde  Dd       d      Dd    Dd     Dd      DE     deployment_id
autoscaler_recommendations !    -    -    DEde   -    -     de   DEde DEde DEde DEde  Dd       d      Dd    Dd     Dd      DE     deployment_id
reported_metrics      !    -    -    Uu     -    -     u    Uu   Uu   Uu   Uu    Uu       u      Uu    Uu     Uu      U      reported_by
deployment_reasons    !    -    -    *      *    *     *    *    *    *    *     *        *      *     *      *       *
nodes                 !    -    -    Nn     n    n     n    Nn   Nn   Nn   Nn    -        -      -     -      -       N      id
node_room             !    -    -    Nn     n    n     n    Nn   Nn   Nn   Nn    -        -      -     -      -       N      node_id
node_leases           !    -    -    Nn     n    n     n    Nn   Nn   Nn   Nn    -        -      -     -      -       N      node_id
node_history          !    -    -    Nn     -    -     n    Nn   Nn   Nn   Nn    -        -      -     -      -       N      node_id
join_tokens           !    -    -    -      -    -     t    -    -    Tt   Tt    -        -      -     -      -       T      id
packs                 !    -    -    PQpq   Qpq  Qpq   Qpq  PQpq PQpq PQpq PQpq  Qq       Qq     Qq    Qq     Qq      PQ     id
pack_versions         !    -    -    PQpq   Qpq  Qpq   Qpq  PQpq PQpq PQpq PQpq  Qq       Qq     Qq    Qq     Qq      PQ     pack_id
profiles              !    u    u    u      u    u     u    u    u    Uu   Uu    u        u      u     u      u       U      id
role_bindings         !    -    u    u      u    u     u    u    u    Uu   Uu    u        u      u     u      u       U      user_id
namespaces            !    -    -    AB     AB   AB    AB   AB   AB   AB   AB    A        A      A     A      A       AB     name
namespace_usage       !    -    -    AB     AB   AB    AB   AB   AB   AB   AB    A        A      A     A      A       AB     namespace
roles                 !    -    -    *      *    *     *    *    *    *    *     *        *      *     *      *       *
role_permissions      !    -    -    *      *    *     *    *    *    *    *     *        *      *     *      *       *
priority_classes      !    -    -    *      *    *     *    *    *    *    *     *        *      *     *      *       *
cluster_config        !    -    -    *      *    *     *    *    *    *    *     *        *      *     *      *       *
pod_status_steps      !    -    -    *      *    *     *    *    *    *    *     *        *      *     *      *       *
error_codes           !    *    *    *      *    *     *    *    *    *    *     *        *      *     *      *       *
$tables$);

-- Functions: the HTTP status of a call. 404 where the caller may not even know; 409 where the right is there and the state is not.
create temporary table answered as select * from tests.rights_matrix($functions$
                      anon none off  viewer node agent user dev  depl oper admin viewer-a user-a dev-a oper-a admin-a secret
needs_setup           200  200  200  200    200  200   200  200  200  200  200   200      200    200   200    200     200
whoami                401  200  403  200    200  200   200  200  200  200  200   200      200    200   200    200     200
can_i                 401  200  403  200    200  200   200  200  200  200  200   200      200    200   200    200     200    {"p_verb": "get", "p_kind": "pods"}
setup_admin           401  403  403  403    403  403   403  403  403  403  403   403      403    403   403    403     409    {"p_user_id": "$own.me"}
watch_nodes           401  403  403  403    403  403   403  403  403  403  403   403      403    403   403    403     200    {"p_observations": [], "p_since": "2026-01-01", "p_at": "2026-01-01"}
is_this_database      401  403  403  403    403  403   403  403  403  403  403   403      403    403   403    403     200    {"p_id": "00000000-0000-4000-8000-000000000000"}
store_watch_secrets   401  403  403  403    403  403   403  403  403  403  403   403      403    403   403    403     200    {"p_project_url": "http://stark.test", "p_secret_key": "sb_secret_x"}
list_users            401  403  403  403    403  403   403  403  403  200  200   403      403    403   403    403     200
admit_user            401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_email": "x@example.com"}
admit_user            401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_email": "x@example.com", "p_role": "viewer", "p_namespace": "a"}
disable_user          401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_user_id": "$other.me"}
enable_user           401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_user_id": "$other.me"}
grant_role            401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_user_id": "$own.me", "p_role": "admin"}
grant_role            401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_user_id": "$other.me", "p_role": "custom"}
grant_role            401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    200     200    {"p_user_id": "$other.me", "p_role": "viewer", "p_namespace": "a"}
grant_role            401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    200     200    {"p_user_id": "$own.me", "p_role": "admin", "p_namespace": "a"}
grant_role            401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_user_id": "$other.me", "p_role": "viewer", "p_namespace": "b"}
revoke_role           401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_user_id": "$other.me", "p_role": "user"}
revoke_role           401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    200     200    {"p_user_id": "$other.me", "p_role": "user", "p_namespace": "a"}
revoke_role           401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_user_id": "$other.me", "p_role": "user", "p_namespace": "b"}
create_role           401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_name": "new", "p_permissions": ["pods:get"]}
update_role           401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_name": "custom", "p_description": "new"}
delete_role           401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_name": "custom"}
update_cluster_config 401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_changes": {"scheduling_policy": "bin_pack"}}
diagnostics           401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200
probe_watcher         401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200
create_priority_class 401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_name": "new", "p_value": 1}
update_priority_class 401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_name": "spare", "p_description": "new"}
delete_priority_class 401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_name": "spare"}
create_namespace      401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_name": "new"}
update_namespace      401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_name": "a", "p_quota": {"pods": 1000}}
delete_namespace      401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_name": "a"}
register_pack_version 401  403  403  403    403  403   200  200  200  403  200   403      403    403   403    403     401    {"p_name": "new", "p_version": "1.0.0", "p_runtime": "node", "p_size_bytes": 1, "p_sha256": "$sha"}
register_pack_version 401  403  403  403    403  403   200  200  200  403  200   403      403    403   403    403     401    {"p_name": "pack-$own", "p_version": "3.0.0", "p_runtime": "node", "p_size_bytes": 1, "p_sha256": "$sha"}
register_pack_version 401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     401    {"p_name": "public-$other", "p_version": "3.0.0", "p_runtime": "node", "p_size_bytes": 1, "p_sha256": "$sha"}
finish_pack_version   401  403  403  403    403  403   409  409  409  403  409   403      403    403   403    403     409    {"p_version_id": "$own.upload"}
finish_pack_version   401  403  403  403    403  403   403  403  403  403  409   403      403    403   403    403     409    {"p_version_id": "$other.upload"}
withdraw_pack_version 401  404  403  403    403  403   200  200  200  403  200   404      404    404   404    404     200    {"p_name": "spare-$own", "p_version": "1.0.0"}
withdraw_pack_version 401  404  403  403    404  404   404  403  403  403  200   404      404    404   404    404     200    {"p_name": "spare-$other", "p_version": "1.0.0"}
withdraw_pack_version 401  404  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_name": "public-$other", "p_version": "1.0.0"}
update_pack           401  404  403  403    403  403   200  200  200  403  200   404      404    404   404    404     200    {"p_name": "pack-$own", "p_description": "new"}
update_pack           401  404  403  403    404  404   404  403  403  403  200   404      404    404   404    404     200    {"p_name": "pack-$other", "p_visibility": "public"}
update_pack           401  404  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_name": "public-$other", "p_description": "new"}
delete_pack           401  404  403  403    403  403   200  200  200  403  200   404      404    404   404    404     200    {"p_name": "spare-$own"}
delete_pack           401  404  403  403    404  404   404  403  403  403  200   404      404    404   404    404     200    {"p_name": "spare-$other"}
delete_pack           401  404  403  403    403  403   403  403  403  403  409   403      403    403   403    403     409    {"p_name": "public-$other"}
create_pods           401  403  403  403    403  403   200  200  200  200  200   403      200    200   200    200     200    {"p_pods": [{"pack": "pack-$own", "namespace": "a"}]}
create_pods           401  403  403  403    403  403   200  200  200  200  200   403      403    403   403    403     200    {"p_pods": [{"pack": "pack-$own", "namespace": "b"}]}
create_pods           401  403  403  403    403  403   404  403  403  403  200   403      404    404   404    404     200    {"p_pods": [{"pack": "pack-$other", "namespace": "a"}]}
create_pods           401  403  403  403    403  403   200  200  200  200  200   403      200    200   200    200     200    {"p_pods": [{"pack": "public-$other", "namespace": "a"}]}
create_pods           401  403  403  403    403  403   200  200  200  200  200   403      403    403   403    403     200    {"p_pods": [{"pack": "public-$other", "namespace": "b"}]}
create_pods           401  403  403  403    403  403   403  403  403  200  200   403      403    403   403    403     200    {"p_pods": [{"pack": "public-$other", "namespace": "stark-system"}]}
create_pods           401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_pods": [{"pack": "public-$other", "namespace": "a", "spec": {"priorityClassName": "system-node-critical"}}]}
create_pods           401  403  403  403    403  403   403  200  200  200  200   403      403    200   200    200     200    {"p_pods": [{"pack": "public-$other", "namespace": "a", "priority": 101}]}
create_pods           401  403  403  403    403  403   403  200  200  200  200   403      403    403   403    403     200    {"p_pods": [{"pack": "public-$other", "namespace": "b", "spec": {"priorityClassName": "high-priority"}}]}
create_pods           401  403  403  403    403  403   403  200  200  200  200   403      403    403   403    403     200    {"p_pods": [{"pack": "public-$other", "namespace": "a", "spec": {"affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": {"topologyKey": "zone", "labelSelector": {}, "namespaces": ["b"]}}]}}}}]}
create_pods           401  403  403  403    403  403   403  200  200  200  200   403      403    403   403    403     200    {"p_pods": [{"pack": "public-$other", "namespace": "a", "spec": {"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone", "labelSelector": {}, "namespaceSelector": {}}]}}}}]}
explain_placement     401  403  403  403    403  403   403  200  200  200  200   403      403    403   403    403     200    {"p_pod": {"pack": "public-$other", "namespace": "a", "spec": {"affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": {"topologyKey": "zone", "labelSelector": {}, "namespaces": ["b"]}}]}}}}}
explain_placement     401  403  403  403    403  403   403  200  200  200  200   403      403    403   403    403     200    {"p_pod": {"pack": "public-$other", "namespace": "a", "spec": {"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone", "labelSelector": {}, "namespaceSelector": {}}]}}}}}
explain_placement     401  403  403  403    403  403   200  200  200  200  200   403      200    200   200    200     200    {"p_pod": {"pack": "public-$other", "namespace": "a"}}
explain_placement     401  403  403  403    403  403   200  200  200  200  200   403      403    403   403    403     200    {"p_pod": {"pack": "public-$other", "namespace": "b"}}
explain_placement     401  403  403  403    403  403   404  403  403  403  200   403      404    404   404    404     200    {"p_pod": {"pack": "pack-$other", "namespace": "a"}}
stop_pods             401  404  403  403    403  403   200  200  200  200  200   403      200    200   200    200     200    {"p_ids": ["$own.in_a"]}
stop_pods             401  404  403  403    403  403   200  200  200  200  200   404      404    404   404    404     200    {"p_ids": ["$own.in_b"]}
stop_pods             401  404  403  403    404  404   404  403  403  200  200   403      404    403   200    200     200    {"p_ids": ["$other.in_a"]}
stop_pods             401  404  403  403    404  404   404  403  403  200  200   404      404    404   404    404     200    {"p_ids": ["$other.in_b"]}
stop_pods             401  404  403  403    404  404   404  403  403  200  200   404      404    404   404    404     200    {"p_ids": ["$own.hosted"]}
stop_pods             401  404  403  403    404  404   404  403  403  200  200   403      404    403   200    200     200    {"p_ids": ["$own.in_a", "$other.in_a"]}
update_pods           401  404  403  403    403  403   200  200  200  200  200   403      200    200   200    200     200    {"p_ids": ["$own.in_a"], "p_labels": {"tier": "b"}}
update_pods           401  404  403  403    403  403   200  200  200  200  200   404      404    404   404    404     200    {"p_ids": ["$own.in_b"], "p_labels": {"tier": "b"}}
update_pods           401  404  403  403    404  404   404  403  403  200  200   403      404    403   200    200     200    {"p_ids": ["$other.in_a"], "p_labels": {"tier": "b"}}
update_pods           401  404  403  403    404  404   404  403  403  200  200   404      404    404   404    404     200    {"p_ids": ["$other.in_b"], "p_labels": {"tier": "b"}}
update_pods           401  404  403  403    404  404   404  403  403  200  200   404      404    404   404    404     200    {"p_ids": ["$own.hosted"], "p_labels": {"tier": "b"}}
update_pods           401  404  403  403    404  404   404  403  403  200  200   403      404    403   200    200     200    {"p_ids": ["$own.in_a", "$other.in_a"], "p_labels": {"tier": "b"}}
delete_pods           401  404  403  403    403  403   200  200  200  200  200   403      200    200   200    200     200    {"p_ids": ["$own.in_a"]}
delete_pods           401  404  403  403    403  403   200  200  200  200  200   404      404    404   404    404     200    {"p_ids": ["$own.in_b"]}
delete_pods           401  404  403  403    404  404   404  403  403  200  200   403      404    403   200    200     200    {"p_ids": ["$other.in_a"]}
delete_pods           401  404  403  403    404  404   404  403  403  200  200   404      404    404   404    404     200    {"p_ids": ["$other.in_b"]}
delete_pods           401  404  403  403    404  404   404  403  403  200  200   404      404    404   404    404     200    {"p_ids": ["$own.hosted"]}
roll_back_pod         401  404  403  403    403  403   200  200  200  200  200   403      200    200   200    200     200    {"p_id": "$own.in_a"}
roll_back_pod         401  404  403  403    403  403   200  200  200  200  200   404      404    404   404    404     200    {"p_id": "$own.in_b"}
roll_back_pod         401  404  403  403    404  404   404  403  403  403  200   403      404    403   404    404     200    {"p_id": "$other.in_a"}
roll_back_pod         401  404  403  403    404  404   404  403  403  403  200   404      404    404   404    404     200    {"p_id": "$other.in_b"}
register_node         401  403  403  403    200  403   200  403  403  200  200   403      403    403   403    403     401    {"p_name": "new", "p_runtime": "node"}
register_node         401  403  403  403    200  200   200  403  403  200  200   403      403    403   403    403     401    {"p_name": "node-$own", "p_runtime": "node"}
register_node         401  403  403  403    403  403   403  403  403  200  200   403      403    403   403    403     401    {"p_name": "node-$own", "p_runtime": "node", "p_labels": {"node-restriction.kubernetes.io/team": "red"}}
register_node         401  403  403  403    409  403   409  403  403  409  409   403      403    403   403    403     401    {"p_name": "node-$other", "p_runtime": "node"}
update_node           401  404  403  403    200  404   200  403  403  200  200   404      404    404   404    404     200    {"p_name": "node-$own", "p_labels": {"zone": "b"}}
update_node           401  404  403  403    403  404   403  403  403  200  200   404      404    404   404    404     200    {"p_name": "node-$own", "p_labels": {"node-restriction.kubernetes.io/team": "red"}}
update_node           401  404  403  403    404  404   404  403  403  200  200   404      404    404   404    404     200    {"p_name": "node-$other", "p_labels": {"zone": "b"}}
cordon_node           401  404  403  403    200  404   200  403  403  200  200   404      404    404   404    404     200    {"p_name": "node-$own"}
cordon_node           401  404  403  403    404  404   404  403  403  200  200   404      404    404   404    404     200    {"p_name": "node-$other"}
uncordon_node         401  404  403  403    200  404   200  403  403  200  200   404      404    404   404    404     200    {"p_name": "node-$own"}
uncordon_node         401  404  403  403    404  404   404  403  403  200  200   404      404    404   404    404     200    {"p_name": "node-$other"}
drain_node            401  404  403  403    200  404   200  403  403  200  200   404      404    404   404    404     200    {"p_name": "node-$own"}
drain_node            401  404  403  403    404  404   404  403  403  200  200   404      404    404   404    404     200    {"p_name": "node-$other"}
pending_evictions     401  404  403  403    200  404   200  403  403  200  200   404      404    404   404    404     200    {"p_name": "node-$own"}
pending_evictions     401  404  403  403    404  404   404  403  403  200  200   404      404    404   404    404     200    {"p_name": "node-$other"}
delete_node           401  404  403  403    403  404   200  403  403  200  200   404      404    404   404    404     200    {"p_name": "node-$own", "p_force": true}
delete_node           401  404  403  403    404  404   404  403  403  200  200   404      404    404   404    404     200    {"p_name": "node-$other", "p_force": true}
node_sync             401  403  403  403    200  200   200  403  403  200  200   403      403    403   403    403     200    {"p_node_id": "$own.node", "p_incarnation": 1}
node_sync             401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_node_id": "$other.node", "p_incarnation": 1}
node_sync             401  403  403  403    200  200   200  403  403  200  200   403      403    403   403    403     200    {"p_node_id": "$own.node"}
node_sync             401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_node_id": "$other.node"}
report_pods           401  403  403  403    200  200   200  403  403  200  200   403      403    403   403    403     200    {"p_node_id": "$own.node", "p_incarnation": 1, "p_reports": [{"pod_id": "$own.hosted", "status": "failed"}]}
report_pods           401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_node_id": "$other.node", "p_incarnation": 1, "p_reports": [{"pod_id": "$own.in_a", "status": "failed"}]}
follow_logs           401  404  403  200    403  403   200  200  200  200  200   200      200    200   200    200     200    {"p_pod_id": "$own.in_a"}
follow_logs           401  404  403  200    403  403   200  200  200  200  200   404      404    404   404    404     200    {"p_pod_id": "$own.in_b"}
follow_logs           401  404  403  200    404  404   404  200  200  200  200   200      404    200   200    200     200    {"p_pod_id": "$other.in_a"}
follow_logs           401  404  403  200    404  404   404  200  200  200  200   404      404    404   404    404     200    {"p_pod_id": "$own.hosted"}
events_topic          401  403  403  200    403  403   403  200  200  200  200   403      403    403   403    403     200
events_topic          401  403  403  200    403  403   403  200  200  200  200   200      403    200   200    200     200    {"p_namespace": "a"}
events_topic          401  403  403  200    403  403   403  200  200  200  200   403      403    403   403    403     200    {"p_namespace": "b"}
append_pod_logs       401  403  403  403    200  200   200  403  403  200  200   403      403    403   403    403     200    {"p_node_id": "$own.node", "p_incarnation": 1, "p_lines": []}
append_pod_logs       401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_node_id": "$other.node", "p_incarnation": 1, "p_lines": []}
disconnect_node       401  403  403  403    200  200   200  403  403  200  200   403      403    403   403    403     200    {"p_node_id": "$own.node", "p_incarnation": 1}
disconnect_node       401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_node_id": "$other.node", "p_incarnation": 1}
create_join_token     401  403  403  403    403  403   200  403  403  200  200   403      403    403   403    403     401
create_join_token     401  403  403  403    403  403   403  403  403  200  200   403      403    403   403    403     401    {"p_labels": {"node-restriction.kubernetes.io/team": "red"}}
revoke_join_token     401  404  403  404    404  404   200  404  404  200  200   404      404    404   404    404     200    {"p_id": "$own.token"}
revoke_join_token     401  404  403  404    404  404   404  404  404  200  200   404      404    404   404    404     200    {"p_id": "$other.token"}
admit_node            401  403  403  403    403  403   403  403  403  403  403   403      403    403   403    403     403    {"p_secret_sha256": "x", "p_name": "new", "p_runtime": "node"}
join_node             401  403  403  403    403  403   403  403  403  403  403   403      403    403   403    403     403    {"p_secret_sha256": "x", "p_user_id": "$own.me", "p_name": "new", "p_runtime": "node"}
scale_deployment      401  404  403  403    404  404   200  200  200  200  200   403      200    200   200    200     200    {"p_namespace": "a", "p_name": "web-$own", "p_replicas": 0}
scale_deployment      401  404  403  403    404  404   200  200  200  200  200   404      404    404   404    404     200    {"p_namespace": "b", "p_name": "web-$own", "p_replicas": 0}
scale_deployment      401  404  403  403    404  404   404  403  403  200  200   403      404    403   200    200     200    {"p_namespace": "a", "p_name": "web-$other", "p_replicas": 0}
scale_deployment      401  404  403  403    404  404   404  403  403  200  200   404      404    404   404    404     200    {"p_namespace": "b", "p_name": "web-$other", "p_replicas": 0}
report_metric         401  403  403  403    403  403   200  200  200  200  200   403      200    200   200    200     200    {"p_namespace": "a", "p_name": "queue", "p_value": 1}
report_metric         401  403  403  403    403  403   200  200  200  200  200   403      403    403   403    403     200    {"p_namespace": "b", "p_name": "queue", "p_value": 1}
pause_deployment      401  404  403  403    404  404   200  200  200  200  200   403      200    200   200    200     200    {"p_namespace": "a", "p_name": "web-$own"}
pause_deployment      401  404  403  403    404  404   200  200  200  200  200   404      404    404   404    404     200    {"p_namespace": "b", "p_name": "web-$own"}
pause_deployment      401  404  403  403    404  404   404  403  403  200  200   403      404    403   200    200     200    {"p_namespace": "a", "p_name": "web-$other"}
pause_deployment      401  404  403  403    404  404   404  403  403  200  200   404      404    404   404    404     200    {"p_namespace": "b", "p_name": "web-$other"}
resume_deployment     401  404  403  403    404  404   200  200  200  200  200   403      200    200   200    200     200    {"p_namespace": "a", "p_name": "web-$own"}
resume_deployment     401  404  403  403    404  404   200  200  200  200  200   404      404    404   404    404     200    {"p_namespace": "b", "p_name": "web-$own"}
resume_deployment     401  404  403  403    404  404   404  403  403  200  200   403      404    403   200    200     200    {"p_namespace": "a", "p_name": "web-$other"}
resume_deployment     401  404  403  403    404  404   404  403  403  200  200   404      404    404   404    404     200    {"p_namespace": "b", "p_name": "web-$other"}
apply_objects         401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_objects": [{"kind": "namespace", "name": "new"}]}
apply_objects         401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_objects": [{"kind": "clusterconfig", "liveness": "thrifty"}]}
apply_objects         401  403  403  403    403  403   403  403  403  403  200   403      403    403   403    200     200    {"p_objects": [{"kind": "rolebinding", "user": "$other.me", "role": "viewer", "namespace": "a"}]}
apply_objects         401  403  403  403    403  403   200  200  200  200  200   403      200    200   200    200     401    {"p_objects": [{"kind": "deployment", "name": "new", "pack": "public-$other", "namespace": "a", "replicas": 0}]}
apply_objects         401  403  403  403    403  403   200  200  200  200  200   403      403    403   403    403     401    {"p_objects": [{"kind": "deployment", "name": "new", "pack": "public-$other", "namespace": "b", "replicas": 0}]}
apply_objects         401  403  403  403    403  403   409  403  403  200  200   403      409    403   200    200     200    {"p_objects": [{"kind": "deployment", "name": "web-$other", "pack": "public-$other", "namespace": "a", "labels": {"a": "b"}}]}
apply_objects         401  403  403  403    403  403   200  200  200  200  200   403      200    200   200    200     200    {"p_objects": [{"kind": "pod", "name": "new", "pack": "public-$other", "namespace": "a"}]}
apply_objects         401  403  403  403    403  403   200  403  403  200  200   403      403    403   403    403     401    {"p_objects": [{"kind": "jointoken", "name": "new"}]}
delete_objects        401  200  403  403    200  200   200  200  200  200  200   403      200    200   200    200     200    {"p_objects": [{"kind": "deployment", "name": "web-$own", "pack": "public-$own", "namespace": "a"}]}
delete_objects        401  200  403  403    200  200   200  403  403  200  200   403      200    403   200    200     200    {"p_objects": [{"kind": "deployment", "name": "web-$other", "pack": "public-$other", "namespace": "a"}]}
delete_objects        401  200  403  403    403  403   403  403  403  403  200   403      403    403   403    403     200    {"p_objects": [{"kind": "role", "name": "custom", "permissions": []}]}
delete_deployment     401  404  403  403    404  404   200  200  200  200  200   403      200    200   200    200     200    {"p_namespace": "a", "p_name": "web-$own"}
delete_deployment     401  404  403  403    404  404   200  200  200  200  200   404      404    404   404    404     200    {"p_namespace": "b", "p_name": "web-$own"}
delete_deployment     401  404  403  403    404  404   404  403  403  200  200   403      404    403   200    200     200    {"p_namespace": "a", "p_name": "web-$other"}
delete_deployment     401  404  403  403    404  404   404  403  403  200  200   404      404    404   404    404     200    {"p_namespace": "b", "p_name": "web-$other"}
pause_rollout         401  404  403  403    404  404   200  200  200  200  200   403      200    200   200    200     200    {"p_namespace": "a", "p_name": "web-$own"}
pause_rollout         401  404  403  403    404  404   200  200  200  200  200   404      404    404   404    404     200    {"p_namespace": "b", "p_name": "web-$own"}
pause_rollout         401  404  403  403    404  404   404  403  403  200  200   403      404    403   200    200     200    {"p_namespace": "a", "p_name": "web-$other"}
pause_rollout         401  404  403  403    404  404   404  403  403  200  200   404      404    404   404    404     200    {"p_namespace": "b", "p_name": "web-$other"}
resume_rollout        401  404  403  403    404  404   200  200  200  200  200   403      200    200   200    200     200    {"p_namespace": "a", "p_name": "web-$own"}
resume_rollout        401  404  403  403    404  404   200  200  200  200  200   404      404    404   404    404     200    {"p_namespace": "b", "p_name": "web-$own"}
resume_rollout        401  404  403  403    404  404   404  403  403  200  200   403      404    403   200    200     200    {"p_namespace": "a", "p_name": "web-$other"}
resume_rollout        401  404  403  403    404  404   404  403  403  200  200   404      404    404   404    404     200    {"p_namespace": "b", "p_name": "web-$other"}
promote_rollout       401  404  403  403    404  404   409  409  409  409  409   403      409    409   409    409     409    {"p_namespace": "a", "p_name": "web-$own"}
promote_rollout       401  404  403  403    404  404   409  409  409  409  409   404      404    404   404    404     409    {"p_namespace": "b", "p_name": "web-$own"}
promote_rollout       401  404  403  403    404  404   404  403  403  409  409   403      404    403   409    409     409    {"p_namespace": "a", "p_name": "web-$other"}
promote_rollout       401  404  403  403    404  404   404  403  403  409  409   404      404    404   404    404     409    {"p_namespace": "b", "p_name": "web-$other"}
update_deployment     401  404  403  403    404  404   200  200  200  200  200   403      200    200   200    200     200    {"p_namespace": "a", "p_name": "web-$own", "p_changes": {"labels": {"a": "b"}}}
update_deployment     401  404  403  403    404  404   200  200  200  200  200   404      404    404   404    404     200    {"p_namespace": "b", "p_name": "web-$own", "p_changes": {"labels": {"a": "b"}}}
update_deployment     401  404  403  403    404  404   404  403  403  200  200   403      404    403   200    200     200    {"p_namespace": "a", "p_name": "web-$other", "p_changes": {"labels": {"a": "b"}}}
update_deployment     401  404  403  403    404  404   404  403  403  200  200   404      404    404   404    404     200    {"p_namespace": "b", "p_name": "web-$other", "p_changes": {"labels": {"a": "b"}}}
update_deployment     401  404  403  403    404  404   200  200  200  200  200   403      200    200   200    200     401    {"p_namespace": "a", "p_name": "web-$own", "p_changes": {"template": {"labels": {"a": "b"}}}}
update_deployment     401  404  403  403    404  404   200  200  200  200  200   404      404    404   404    404     401    {"p_namespace": "b", "p_name": "web-$own", "p_changes": {"template": {"labels": {"a": "b"}}}}
update_deployment     401  404  403  403    404  404   404  403  403  200  200   403      404    403   200    200     401    {"p_namespace": "a", "p_name": "web-$other", "p_changes": {"template": {"labels": {"a": "b"}}}}
update_deployment     401  404  403  403    404  404   404  403  403  200  200   404      404    404   404    404     401    {"p_namespace": "b", "p_name": "web-$other", "p_changes": {"template": {"labels": {"a": "b"}}}}
restart_rollout       401  404  403  403    404  404   200  200  200  200  200   403      200    200   200    200     401    {"p_namespace": "a", "p_name": "web-$own"}
restart_rollout       401  404  403  403    404  404   200  200  200  200  200   404      404    404   404    404     401    {"p_namespace": "b", "p_name": "web-$own"}
restart_rollout       401  404  403  403    404  404   404  403  403  200  200   403      404    403   200    200     401    {"p_namespace": "a", "p_name": "web-$other"}
restart_rollout       401  404  403  403    404  404   404  403  403  200  200   404      404    404   404    404     401    {"p_namespace": "b", "p_name": "web-$other"}
undo_rollout          401  404  403  403    404  404   404  404  404  404  404   403      404    404   404    404     401    {"p_namespace": "a", "p_name": "web-$own", "p_to_revision": 9}
undo_rollout          401  404  403  403    404  404   404  404  404  404  404   404      404    404   404    404     401    {"p_namespace": "b", "p_name": "web-$own", "p_to_revision": 9}
undo_rollout          401  404  403  403    404  404   404  403  403  404  404   403      404    403   404    404     401    {"p_namespace": "a", "p_name": "web-$other", "p_to_revision": 9}
undo_rollout          401  404  403  403    404  404   404  403  403  404  404   404      404    404   404    404     401    {"p_namespace": "b", "p_name": "web-$other", "p_to_revision": 9}
create_deployment     401  403  403  403    403  403   200  200  200  200  200   403      200    200   200    200     401    {"p_deployment": {"name": "new", "pack": "pack-$own", "namespace": "a", "replicas": 0}}
create_deployment     401  403  403  403    403  403   200  200  200  200  200   403      403    403   403    403     401    {"p_deployment": {"name": "new", "pack": "pack-$own", "namespace": "b", "replicas": 0}}
create_deployment     401  403  403  403    403  403   404  403  403  403  200   403      404    404   404    404     401    {"p_deployment": {"name": "new", "pack": "pack-$other", "namespace": "a", "replicas": 0}}
create_deployment     401  403  403  403    403  403   403  403  403  200  200   403      403    403   403    403     401    {"p_deployment": {"name": "new", "pack": "public-$other", "namespace": "stark-system", "replicas": 0}}
$functions$);

select is(string_agg(format('%s: %s, not %s', c.actor, c.got, c.wanted), '; ') filter (where c.got is distinct from c.wanted), null, 'reading ' || c.what)
from (select m.*, tests.rights_seen(m.actor, m.what, m.rest) as got from seen m) c group by c.line, c.what order by c.line;

select is(string_agg(format('%s: %s, not %s', c.actor, c.got, c.wanted), '; ') filter (where c.got is distinct from c.wanted), null, c.what || ' ' || c.rest)
from (select m.*, tests.rights_answer(m.actor, m.what, m.rest) as got from answered m) c group by c.line, c.what, c.rest order by c.line;

select is_empty(
  $$select c.oid::regclass from pg_class c where c.relnamespace = 'stark'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relname not in (select m.what from seen m)$$,
  'every table and view has a line');
select is_empty(
  $$select p.oid::regprocedure from pg_proc p where p.pronamespace = 'stark'::regnamespace and p.proname not in (select m.what from answered m)$$,
  'every function has a line');
select is_empty(
  $$select a.actor from tests.rights_actors() a where a.actor <> 'stranger' and not (exists (select from seen m where m.actor = a.actor) and exists (select from answered m where m.actor = a.actor))$$,
  'every actor has a column in both');

select * from finish();
rollback;
