-- Autoscaling: signals, missing samples, a rollout in the middle, windows and rates, bounds, zero and waking; numbers, and who may report them.
begin;
select * from no_plan();
select tests.add_user('op', 'operator'), tests.add_user('uma', 'user'), tests.add_user('udo', 'user'), tests.add_user('vic', 'viewer'), tests.add_user('nod', 'node');
select tests.add_pack('alpha', 'uma', 'public'), tests.add_pack('alpha', 'uma', p_version => '1.1.0');
select tests.add_node(n, 'uma', p_allocatable => '{"cpu": 1000000, "memory": 1000000, "storage": 10240, "pods": 500}') from unnest(array['n1', 'n2', 'n3']) n;
insert into stark.node_leases (node_id, incarnation) select id, 1 from stark.nodes;
select tests.at(0);

create function pg_temp.try(p_who text, p_sql text) returns text language plpgsql as $$
declare v text;
begin
  perform tests.sign_in(p_who);
  v := tests.code_of(p_sql);
  perform tests.sign_out();
  return v;
end $$;
/** What somebody changes of the deployment web. */
create function pg_temp.set(p_changes jsonb, p_who text default 'uma') returns text language sql as $$ select pg_temp.try(p_who, format('select stark.update_deployment(%L, %L, %L)', 'default', 'web', p_changes)) $$;
create function pg_temp.scaling(p_more jsonb default '{}') returns jsonb language sql as $$
  select jsonb_build_object('autoscale', '{"min": 1, "max": 40, "metrics": [{"name": "load", "target": 10}], "behavior": null, "idleSeconds": null}'::jsonb || p_more) $$;
/** The load is shared by the pods that are ready; those of whom p_but holds say nothing of it. */
create function pg_temp.say(p_load numeric, p_but text default 'false') returns void language plpgsql as $$
begin
  execute format($q$
    update stark.node_leases l set usage_at = stark_internal.controller_time(), usage = jsonb_build_object('pods', coalesce((
        select jsonb_object_agg(p.id, jsonb_build_object('cpu', 10 * round(($1 / c.ready)::numeric, 6), 'memory', 5, 'metrics', jsonb_build_object('load', round(($1 / c.ready)::numeric, 6))))
        from stark.pods p where p.node_id = l.node_id and p.ready and p.status = 'running' and p.deployment_id is not null and not (%s)), '{}'))
      from (select greatest(1, count(*)) as ready from stark.pods where ready and status = 'running' and deployment_id is not null) c where true$q$, p_but) using p_load;
end $$;
/** What is made runs at once, and what stops has stopped, each in one statement. */
create function pg_temp.run() returns void language sql as $$
  update stark.pods p set status = 'running', ready = true, ready_at = stark_internal.controller_time(), started_at = stark_internal.controller_time() where p.status = 'scheduled';
  update stark.pods p set status = 'stopped', ready = false, ready_at = null, finished_at = stark_internal.controller_time() where p.status = 'stopping';
  select tests.look();
$$;
create temporary table clock as select 0::numeric as seconds;
/** An interval passes with this load; then how many are wanted. What is made runs at once. */
create function pg_temp.look(p_load numeric, p_but text default 'false') returns integer language plpgsql as $$
begin
  update clock set seconds = seconds + 15 where true;
  perform tests.at((select seconds from clock));
  perform pg_temp.say(p_load, p_but);
  perform stark_internal.autoscale_due();
  perform pg_temp.run();
  return (select d.replicas from stark.deployments d where d.name = 'web');
end $$;
create function pg_temp.play(p_loads numeric[]) returns integer[] language plpgsql as $$
declare
  v_load numeric;
  v_all integer[] := '{}';
begin
  foreach v_load in array p_loads loop
    v_all := v_all || pg_temp.look(v_load);
  end loop;
  return v_all;
end $$;
create function pg_temp.pods() returns bigint language sql as $$ select count(*) from stark.pods p where p.deployment_id is not null and p.status = 'running' $$;
create function pg_temp.why() returns text language sql as $$ select concat_ws(' ', recommended, wanted, reason) from stark.autoscalers where name = 'web' $$;
create function pg_temp.condition(p_type text) returns text language sql as $$
  select concat_ws(' ', c ->> 'status', c ->> 'reason', c ->> 'message') from stark.deployments d, jsonb_array_elements(d.conditions) c where d.name = 'web' and c ->> 'type' = p_type $$;

-- Made with it
select tests.sign_in('uma');
select is(tests.code_of($$select stark.create_deployment('{"name": "web", "pack": "alpha", "replicas": 2, "autoscale": {"max": 3, "metrics": [{"name": "cpu", "target": 70}]}}')$$), 'INVALID_ARGUMENT', 'replicas and autoscale are refused together');
select is((stark.create_deployment('{"name": "web", "pack": "alpha", "version": "1.0.0", "minReadySeconds": 0, "autoscale": {"min": 2, "max": 40, "metrics": [{"name": "load", "target": 10}]}}')).replicas, 2, 'it begins with the least');
select tests.sign_out(), pg_temp.run();
select is(min_replicas || '-' || max_replicas, '2-40', 'it has its row') from stark.autoscalers where name = 'web';
select is(count(*), 1::bigint, 'and what is there is its first recommendation') from stark.autoscaler_recommendations;
create temporary table generation as select generation from stark.deployments;

-- Constant, step, ramp, noise
select is(pg_temp.play(array_fill(19.5, array[8])), array_fill(2, array[8]), 'a constant load never changes the number');
select is(pg_temp.play(array[60, 60, 60, 60]), array[6, 6, 6, 6], 'a step of three is answered in one interval');
select is(pg_temp.condition('AbleToScale'), 'True SucceededRescale from 2 to 6: load is 30, the target 10', 'and says why');
select is(pg_temp.play(array[180, 180, 180]), array[12, 18, 18], 'another in two: it doubles at most');
select is(pg_temp.play(array[171, 189, 165, 195, 170, 190]), array_fill(18, array[6]), 'noise within the tolerance changes nothing');
select is(pg_temp.play(array[150, 230, 120, 210, 140, 225]), array[18, 23, 23, 23, 23, 23], 'larger noise goes to its top, and stays there');
select is((pg_temp.play(array[140] || array_fill(120::numeric, array[19])))[20], 23, 'down only when the window is over');
select is(pg_temp.look(120), 14, 'to the highest that was recommended in it');
select is(pg_temp.look(120), 12, 'and on');
select is(d.generation, g.generation, 'the autoscaler''s changes are no wishes of people') from stark.deployments d, generation g where d.name = 'web';
create temporary table ramp as select n, 120 + n * 6 as load, pg_temp.look(120 + n * 6) as replicas from generate_series(1, 12) n;
select ok(bool_and(replicas >= ceil((load - 6) / 11.0) and replicas <= ceil(load / 9.0)), 'up a ramp it lags an interval at most') from ramp;
create temporary table fall as select n, greatest(10, 190 - n * 8) as load, pg_temp.look(greatest(10, 190 - n * 8)) as replicas from generate_series(1, 34) n;
select ok(bool_and(f.replicas <= ceil((b.load) / 9.0)), 'down a ramp one window at most') from fall f join fall b on b.n = f.n - 21;
select is((pg_temp.play(array_fill(10::numeric, array[21])))[21], 2, 'and never below min');
select is(pg_temp.why(), '1 2 TooFewReplicas', 'which it says');
select is(pg_temp.condition('ScalingLimited'), 'True TooFewReplicas', 'in a condition too');

-- CPU and memory are those of what pods ask for
select is(pg_temp.set(pg_temp.scaling('{"metrics": [{"name": "cpu", "target": 50}, {"name": "memory", "target": 50}]}')), 'ok', 'by cpu and memory');
select is(pg_temp.look(20), 4, 'millicores of millicores, the larger of two');
select is(metrics #>> '{0,value}' || ' ' || (metrics #>> '{1,type}'), '100.000000 Utilization', 'what was seen is kept') from stark.autoscalers where name = 'web';
select is(pg_temp.set('{"template": {"spec": {"resources": {"requests": {"cpu": 0}}}}, "minReadySeconds": 0}'), 'ok', 'pods that ask for none');
select pg_temp.look(1), pg_temp.look(1), pg_temp.look(1), pg_temp.look(1);
select is(pg_temp.condition('ScalingActive'), 'False FailedGetMetric nobody says cpu', 'of which it can say nothing');
select is(pg_temp.look(1), 4, 'nothing goes down while one of several is missing');
select is(pg_temp.set('{"template": {"spec": {"resources": {"requests": {"cpu": 100}}}}}'), 'ok', 'as before');
select pg_temp.look(20), pg_temp.look(20), pg_temp.look(20), pg_temp.look(20);

-- Missing samples
select is(pg_temp.set(pg_temp.scaling('{"behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}}}')), 'ok', 'without a window');
select is(pg_temp.play(array[100, 100, 100]), array[8, 10, 10], 'ten pods');
select is(pg_temp.look(30, $$abs(hashtext(p.id::text)) >= 0$$), 10, 'nobody says anything: nothing happens');
select is(pg_temp.condition('ScalingActive'), 'False FailedGetMetric nobody says load', 'and it says so');
create temporary table mute as select p.id from stark.pods p where p.deployment_id is not null and p.finished_at is null order by p.id limit 5;
grant select on mute to public;
select is(pg_temp.look(160, $$p.id in (select id from mute)$$), 10, 'going up those that are missing count as idle: 8 of 10, the other direction, so nothing');
select is(pg_temp.look(30, $$p.id in (select id from mute)$$), 7, 'going down as at the target: 6.5');
select is(metrics #>> '{0,missing}', '5', 'how many are missing is told') from stark.autoscalers where name = 'web';
update stark.node_leases set usage_at = stark_internal.controller_time() - interval '31 seconds' where true;
select stark_internal.autoscale(array(select id from stark.deployments where name = 'web'), stark_internal.controller_time());
select is(metrics #>> '{0,missing}', '7', 'a sample of two intervals ago is missing') from stark.autoscalers where name = 'web';
update stark.node_leases set usage = jsonb_build_object('pods', (select jsonb_object_agg(p.id, v.value) from stark.pods p, (values ('{"metrics": {"load": "9"}}'::jsonb)) v (value) where p.deployment_id is not null)),
  usage_at = stark_internal.controller_time() where true;
select lives_ok($$select stark_internal.autoscale(array(select id from stark.deployments where name = 'web'), stark_internal.controller_time())$$, 'what is no number is none');
update stark.node_leases set usage = '{"pods": [1]}' where true;
select lives_ok($$select stark_internal.autoscale(array(select id from stark.deployments where name = 'web'), stark_internal.controller_time())$$, 'nor is what is no usage');
select is(pg_temp.look(100), 10, 'it goes on when they are there again');

-- Not ready
update stark.pods set ready = false, ready_at = null where status = 'running' and id in (select p.id from stark.pods p where p.status = 'running' order by p.id limit 5);
select is(pg_temp.look(70), 10, 'pods that are not ready count as idle when it goes up: 7 of 10');
update stark.pods set ready = true, ready_at = now() where status = 'running' and id in (select p.id from stark.pods p where p.status = 'running' order by p.id limit 5);

-- A rollout in the middle
select is(pg_temp.set(pg_temp.scaling()), 'ok', 'with windows');
select is((pg_temp.play(array[100, 100]))[2], 10, 'ten pods');
select is(pg_temp.set('{"version": "1.1.0", "minReadySeconds": 14}'), 'ok', 'another version');
create temporary table rollout as select n, pg_temp.look(100) as replicas, pg_temp.pods() as pods from generate_series(1, 8) n;
select ok(bool_and(replicas = 10) and max(pods) > 10, 'pods that are more than wanted while it rolls do not become wanted') from rollout;
select is(tests.deployment('web'), 'complete AsWanted r4 10/10 10 r4 running', 'and the rollout ends');
select is(pg_temp.set('{"version": "1.0.0"}'), 'ok', 'and back');
select is((pg_temp.play(array[100, 200, 200, 200]))[4], 20, 'it scales while it rolls');
select (pg_temp.play(array_fill(200::numeric, array[8])));
select is(tests.deployment('web'), 'complete AsWanted r5 20/20 20 r5 running', 'and both end');

-- Bounds, rates, windows of its own
select is(pg_temp.set('{"minReadySeconds": 0, "autoscale": {"max": 25, "behavior": {"scaleUp": {"policies": [{"type": "Pods", "value": 2, "periodSeconds": 30}]}}}}'), 'ok', 'two in half a minute');
select is(pg_temp.play(array[400, 400, 400, 400, 400, 400]), array[22, 22, 24, 24, 25, 25], 'no more than that, and never above max');
select is(pg_temp.why(), '40 25 TooManyReplicas', 'which it says');
select is(pg_temp.set('{"autoscale": {"max": 12}}'), 'ok', 'a lower max');
select is(pg_temp.look(400), 12, 'counts at once');
select is(pg_temp.set('{"autoscale": {"max": 40, "behavior": {"scaleUp": {"policies": null, "selectPolicy": "Disabled"}}}}'), 'ok', 'never up');
select is(pg_temp.look(400), 12, 'is never up');
select is(pg_temp.set('{"autoscale": {"behavior": {"scaleUp": {"selectPolicy": null, "stabilizationWindowSeconds": 60}}}}'), 'ok', 'up after a minute');
select is(pg_temp.set(pg_temp.scaling('{"behavior": {"scaleUp": {"stabilizationWindowSeconds": 45}}}')), 'ok', 'up when it was asked for in all of a window');
select is((pg_temp.play(array_fill(120::numeric, array[4])))[4], 12, 'constant');
select is(pg_temp.play(array[240, 240, 240, 240]), array[12, 12, 12, 24], 'only then');

-- Quota
update stark.namespaces set quota = '{"pods": 26}' where name = 'default';
select is(pg_temp.set(pg_temp.scaling()), 'ok', 'with a quota');
select is(pg_temp.play(array[400, 400, 400]), array[40, 40, 40], 'the quota has no room for all');
select is(count(*), 26::bigint, 'as many are made as fit') from stark.pods where finished_at is null;
select is(pg_temp.set('{"autoscale": {"max": 60}}'), 'ok', 'more may be');
select is(pg_temp.look(800), 40, 'no more are wanted than can be made');
select is(pg_temp.condition('ScalingLimited'), 'True QuotaExceeded', 'which it says');
update stark.namespaces set quota = '{}' where name = 'default';
select pg_temp.run();

-- By hand
select is(pg_temp.try('uma', $$select stark.scale_deployment('default', 'web', 3)$$), 'AUTOSCALED', 'scaling by hand is refused');
select is(pg_temp.set('{"replicas": 3}'), 'AUTOSCALED', 'as a change too');
select is(pg_temp.set('{"replicas": 3, "autoscale": {"max": 3}}'), 'INVALID_ARGUMENT', 'or both');
select is(pg_temp.try('udo', $$select stark.update_deployment('default', 'web', '{"autoscale": null}')$$), 'DEPLOYMENT_NOT_FOUND', 'by somebody else too');
select is(pg_temp.try('uma', $$select stark.pause_deployment('default', 'web')$$), 'ok', 'frozen');
select is(pg_temp.look(10), 40, 'nothing is done');
select is(pg_temp.condition('AbleToScale'), 'False DeploymentPaused nothing is done for the deployment now', 'and it says why');
select is(pg_temp.try('uma', $$select stark.resume_deployment('default', 'web')$$), 'ok', 'resumed');
select is(pg_temp.set('{"autoscale": null}'), 'ok', 'no more');
select is(d.replicas || ' ' || (select count(*) from stark.autoscalers) || ' ' || (select count(*) from stark.autoscaler_recommendations), '40 0 0', 'what is there stays, and nothing is left of it') from stark.deployments d where d.name = 'web';
select tests.look();
select is(pg_temp.condition('ScalingActive'), null, 'nor of what it said');
select is(pg_temp.try('uma', $$select stark.scale_deployment('default', 'web', 0)$$), 'ok', 'to zero by hand');
select is(pg_temp.set(pg_temp.scaling('{"min": 0, "max": 10, "metrics": [{"name": "queue", "target": 10}], "idleSeconds": 60}')), 'ok', 'and then autoscaled');
select is(pg_temp.try('uma', $$select stark.report_metric('default', 'queue', 5)$$), 'ok', 'a number');
select is(pg_temp.look(0), 0, 'what a person has scaled to zero is not woken');
select is(pg_temp.condition('ScalingActive') || pg_temp.condition('ScaledToZero'), 'False ScalingDisabled somebody has scaled it to 0: stark deployment scale --replicas 1 starts itFalse NotScaledToZero', 'and it says so');
select is(pg_temp.try('uma', $$select stark.scale_deployment('default', 'web', 1)$$), 'ok', 'a person starts it');

-- Zero, and waking
select is(pg_temp.look(0), 1, 'a number is there');
select is(pg_temp.try('uma', $$select stark.report_metric('default', 'queue', 0)$$), 'ok', 'none');
select is(pg_temp.play(array[0, 0, 0, 0]), array[1, 1, 1, 1], 'it waits for the idle time');
select is(pg_temp.why(), '0 1 IdleTime', 'and says so');
select is(pg_temp.look(0), 0, 'then the last pod goes');
select is(pg_temp.condition('ScaledToZero'), 'True Idle', 'by the autoscaler');
select is(pg_temp.try('uma', $$select stark.scale_deployment('default', 'web', 1)$$), 'AUTOSCALED', 'a person has no hand in it');
select is(pg_temp.look(0), 0, 'it stays there');
select is(pg_temp.try('udo', $$select stark.report_metric('default', 'queue', 5)$$), 'ok', 'somebody reports for the own deployments');
select is(d.replicas, 0, 'which wakes nobody else''s') from stark.deployments d where d.name = 'web';
select is(pg_temp.try('uma', $$select stark.report_metric('default', 'queue', 35)$$), 'ok', 'work comes');
select is(tests.deployment('web'), 'progressing Progressing r5 0/1 1 r5 scheduled', 'it is woken in the same transaction, to one');
select pg_temp.run();
select is(pg_temp.look(0), 4, 'then goes by the number: 35 by 10');
select is(pg_temp.try('uma', $$select stark.report_metric('default', 'queue', 0)$$), 'ok', 'no work');
select is((pg_temp.play(array_fill(0::numeric, array[21])))[21], 1, 'from many to one by the window');
select is(pg_temp.play(array[0, 0, 0, 0]), array[1, 1, 1, 1], 'then the idle time');
update clock set seconds = seconds + 7200 where true;
select is(pg_temp.look(0), 1, 'time that nobody watched does not count');
select is(pg_temp.try('uma', $$select stark.report_metric('default', 'queue', 0)$$), 'ok', 'still none');
select is((pg_temp.play(array[0, 0, 0, 0, 0]))[5], 0, 'it begins anew');
select is(pg_temp.set('{"version": "1.1.0"}'), 'ok', 'another version while nothing runs');
select is((stark_internal.store_metric('default', 'queue', 1)).counts_for_all, true, 'the database itself reports, as a trigger does');
select pg_temp.run();
select is(tests.deployment('web'), 'complete AsWanted r6 1/1 1 r6 running', 'it wakes with the new version');
select is(pg_temp.set('{"autoscale": {"metrics": [{"name": "load", "target": 10}], "idleSeconds": 0}}'), 'ok', 'a number that only its pods tell');
select is(pg_temp.play(array[0, 0, 0]), array[1, 1, 1], 'never lets the last one go: nothing would wake it');
select is(pg_temp.set('{"autoscale": {"metrics": [{"name": "queue", "target": 10, "type": "Value"}], "min": 1}}'), 'ok', 'a number as it is');
select is((select (stark_internal.store_metric('default', 'queue', 20)).value), 20::double precision, 'twice the target');
select is(pg_temp.play(array[0, 0, 0]), array[2, 4, 8], 'doubles it');

-- Numbers
select is(pg_temp.try(who, format('select stark.report_metric(%L, %L, %L)', ns, name, value)), code, format('%s reports %s %s: %s', who, name, value, code)) from (values
  ('vic', 'default', 'queue', '1', 'FORBIDDEN'), ('nod', 'default', 'queue', '1', 'FORBIDDEN'), ('uma', 'nowhere', 'queue', '1', 'NAMESPACE_NOT_FOUND'), ('uma', 'default', 'cpu', '1', 'INVALID_NAME'),
  ('uma', 'default', 'a b', '1', 'INVALID_NAME'), ('uma', 'default', 'queue', '-1', 'INVALID_ARGUMENT'), ('uma', 'default', 'queue', 'NaN', 'INVALID_ARGUMENT'), ('uma', 'default', 'queue', 'Infinity', 'INVALID_ARGUMENT'),
  ('op', 'default', 'queue', '1', 'ok')) t (who, ns, name, value, code);
select is(counts_for_all, true, 'who may change all deployments reports for all') from stark.reported_metrics where reported_by = tests.uid('op');
select tests.sign_in('udo');
select is(tests.count_of('select from stark.reported_metrics'), 1::bigint, 'a user reads the own numbers'), is(tests.count_of('select from stark.autoscalers'), 0::bigint, 'and no autoscaler of others'),
  is(tests.count_of('select from stark.autoscaler_recommendations'), 0::bigint, 'nor what it recommended');
select tests.sign_in('vic');
select is(tests.count_of('select from stark.reported_metrics'), 4::bigint, 'a viewer all'), is(tests.count_of('select from stark.autoscalers'), 1::bigint, 'of both');
select tests.sign_out();
select is(pg_temp.try('udo', format($$select stark.report_metric('default', 'n%s', 1)$$, n)), case when n < 100 then 'ok' else 'LIMIT_EXCEEDED' end, 'a hundred names by each') from generate_series(98, 100) n,
  lateral (select count(*) from (select stark_internal.store_metric('default', 'n' || m, 1, 86400, tests.uid('udo'), false) from generate_series(1, 97) m where n = 98) made) made;
update stark.reported_metrics set expires_at = now() - interval '1 second' where reported_by = tests.uid('udo');
select is(stark_internal.forget_expired_metrics(), 100, 'what is over is forgotten');

-- Bounded, and nothing is written where nothing is to do
select is(count(*) <= 250, true, 'an hour of recommendations is kept') from stark.autoscaler_recommendations;
select is(pg_temp.set(pg_temp.scaling()), 'ok', 'by load again');
select (pg_temp.play(array_fill(80::numeric, array[3])));
create temporary table before as select d.resource_version, (select max(id) from stark.autoscaler_recommendations) as id from stark.deployments d where d.name = 'web';
select (pg_temp.play(array[80, 81, 79]));
select is(d.resource_version || ' ' || (select max(id) from stark.autoscaler_recommendations), b.resource_version || ' ' || b.id, 'a look that decides nothing writes no deployment and no recommendation') from stark.deployments d, before b where d.name = 'web';
select is(stark_internal.autoscale_due(), 0, 'and none is due before its time');

-- How often nodes say what pods use
update stark.cluster_config set liveness = 'thrifty' where true;
select is(stark_internal.heartbeat_interval(tests.node('n1')), 15, 'with autoscaled pods every 15 seconds');
select is(pg_temp.set(pg_temp.scaling('{"metrics": [{"name": "queue", "target": 1000000}]}')), 'ok', 'by a number that is reported');
select is(stark_internal.heartbeat_interval(tests.node('n1')), 600, 'as configured');
select tests.sign_in('uma');
select lives_ok($$select stark.delete_deployment('default', 'web')$$, 'deleted');
select tests.sign_out();
select is(stark_internal.autoscale_due(stark_internal.controller_time() + interval '1 minute'), 1, 'one that is going is looked at, and left alone');
select pg_temp.run();
select is(count(*), 0::bigint, 'and goes with its autoscaler') from stark.autoscalers;

-- What is wrong with it
select is(tests.code_of(format($$select stark_internal.refuse_deployment(stark_internal.autoscale_problem(%L))$$, bad)), 'INVALID_ARGUMENT', bad) from unnest(array[
  '[]', '{}', '{"max": 3}', '{"max": 0, "metrics": [{"name": "a", "target": 1}]}', '{"max": 1.5, "metrics": [{"name": "a", "target": 1}]}', '{"min": 4, "max": 3, "metrics": [{"name": "a", "target": 1}]}',
  '{"min": 0, "max": 3, "metrics": [{"name": "cpu", "target": 1}]}', '{"max": 3, "metrics": []}', '{"max": 3, "metrics": [{"name": "a"}]}', '{"max": 3, "metrics": [{"name": "a", "target": 0}]}',
  '{"max": 3, "metrics": [{"name": "a", "target": "1"}]}', '{"max": 3, "metrics": [{"name": "a", "target": 1e16}]}', '{"max": 3, "metrics": [{"name": "a.b", "target": 1}]}', '{"max": 3, "metrics": [{"name": 1, "target": 1}]}',
  '{"max": 3, "metrics": [{"name": "cpu", "target": 0.5}]}', '{"max": 3, "metrics": [{"name": "cpu", "target": 50, "type": "Value"}]}', '{"max": 3, "metrics": [{"name": "a", "target": 1, "type": "Utilization"}]}',
  '{"max": 3, "metrics": [{"name": "a", "target": 1}, {"name": "a", "target": 2}]}', '{"max": 3, "metrics": [{"name": "a", "target": 1, "of": 1}]}', '{"max": 3, "metrics": [1]}',
  '{"max": 3, "metrics": [{"name": "a", "target": 1}], "idleSeconds": -1}', '{"max": 3, "metrics": [{"name": "a", "target": 1}], "behavior": []}', '{"max": 3, "metrics": [{"name": "a", "target": 1}], "behavior": {"up": {}}}',
  '{"max": 3, "metrics": [{"name": "a", "target": 1}], "behavior": {"scaleUp": {"tolerance": 2}}}', '{"max": 3, "metrics": [{"name": "a", "target": 1}], "behavior": {"scaleUp": {"policies": []}}}',
  '{"max": 3, "metrics": [{"name": "a", "target": 1}], "behavior": {"scaleUp": {"policies": [{"type": "Pods", "value": 0, "periodSeconds": 15}]}}}',
  '{"max": 3, "metrics": [{"name": "a", "target": 1}], "behavior": {"scaleDown": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 1801}]}}}',
  '{"max": 3, "metrics": [{"name": "a", "target": 1}], "behavior": {"scaleDown": {"stabilizationWindowSeconds": 3601}}}', '{"max": 3, "metrics": [{"name": "a", "target": 1}], "behavior": {"scaleDown": {"selectPolicy": "Any"}}}']) bad;

select * from finish();
rollback;
