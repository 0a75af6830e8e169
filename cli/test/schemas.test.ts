import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KINDS } from '@stark-o/core/kinds';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildManifest } from '../src/manifest.js';
import { FakeCluster } from './support/fake-cluster.js';
import {
  appliedObjects,
  autoscalerRow,
  clusterConfigRow,
  deploymentFunctions,
  deploymentRow,
  historyRow,
  joinTokenRow,
  nodeRow,
  packRow,
  placement,
  podRow,
  revisionRow,
  versionRow,
} from './support/rows.js';
import { Machine, packageRoot, temporaryFolder } from './support/run.js';

// What `-o json` prints is a promise: nothing goes missing, and nothing comes in unannounced. What only a whole stack can
// print (up, status, doctor, node agent start, watch) is held to its schema by tests/cli.
const ajv = new Ajv2020({
  allErrors: true,
  allowUnionTypes: true,
  formats: { uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/ },
});
const folder = join(packageRoot, 'schemas');
const names = readdirSync(folder).map((file) => file.replace('.json', ''));

function expectToMatch(name: string, value: unknown): void {
  const { $id } = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
  const validate = ajv.getSchema($id) ?? ajv.compile(JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')));
  validate(value);
  expect(validate.errors, `${name}: ${JSON.stringify(value)}`).toBeNull();
}

const cluster = new FakeCluster();
const machine = new Machine();
const bundle = join(temporaryFolder(), 'pack.js');
const secretKey = join(temporaryFolder(), 'secret.key');

beforeAll(async () => {
  writeFileSync(secretKey, cluster.secretKey);
  await cluster.start();
  await machine.signIn(cluster);
  cluster.setupNeeded = true;
  cluster.tables.pods = [
    podRow('alpha-1'),
    podRow('gone-1', { status: 'failed', ready: false, exit_code: 1, finished_at: '2026-01-01T00:00:03+00:00' }),
  ];
  cluster.tables.nodes = [nodeRow('node-1')];
  cluster.tables.packs = [packRow('alpha')];
  cluster.tables.pack_versions = [versionRow('alpha', '1.0.0')];
  cluster.tables.events = [
    {
      seq: 1,
      type: 'pod.created',
      kind: 'pod',
      namespace: 'default',
      time: '2026-01-01T00:00:00+00:00',
      actor: null,
      object_id: podRow('alpha-1').id,
      object: podRow('alpha-1'),
    },
  ];
  cluster.tables.pod_logs = [
    {
      pod_id: podRow('alpha-1').id,
      seq: 1,
      time: '2026-01-01T00:00:00+00:00',
      stream: 'stdout',
      level: null,
      message: 'hello',
      run: 0,
    },
  ];
  cluster.tables.namespaces = [
    {
      ...{ name: 'default', phase: 'active', reserved: true, labels: {}, quota: { pods: 5 }, limit_range: {} },
      created_at: '2026-01-01T00:00:00+00:00',
    },
  ];
  cluster.tables.priority_classes = [
    {
      ...{ name: 'high', value: 900, global_default: false, preemption_policy: 'Never', built_in: true },
      description: 'first',
    },
  ];
  cluster.tables.roles = [{ name: 'deployer', alias_of: 'developer', built_in: true, description: '' }];
  cluster.tables.role_bindings = [
    {
      ...{ id: '50000000-0000-4000-8000-000000000001', user_id: cluster.userId, role: 'developer' },
      ...{ namespace: null, created_by: null, created_at: '2026-01-01T00:00:00+00:00' },
    },
  ];
  cluster.tables.cluster_config = [clusterConfigRow()];
  cluster.tables.namespace_usage = [
    { namespace: 'default', user_id: cluster.userId, email: cluster.email, pods: 2, cpu: 200, memory: 256, storage: 0 },
  ];
  cluster.tables.deployments = [deploymentRow('web')];
  cluster.tables.autoscalers = [autoscalerRow('web')];
  cluster.tables.deployment_revisions = [revisionRow('web')];
  cluster.tables.deployment_reasons = [{ reason: 'AsWanted', completed_by: 'nothing' }];
  cluster.functions.apply_objects = () => ({ body: appliedObjects() });
  for (const fn of deploymentFunctions) cluster.functions[fn] = () => ({ body: deploymentRow('web') });
  cluster.tables.node_leases = [
    {
      node_id: nodeRow('node-1').id,
      usage: { cpu: 120.4, memory: 300, pods: { [String(podRow('alpha-1').id)]: { cpu: 20, memory: 64 } } },
    },
  ];
  cluster.tables.pod_env = [];
  cluster.tables.pod_history = [historyRow('alpha-1')];
  cluster.functions.can_i = () => ({ body: true });
  cluster.functions.roll_back_pod = () => ({ body: podRow('alpha-2', { version: '0.9.0' }) });
  for (const fn of ['create_namespace', 'update_namespace']) {
    cluster.functions[fn] = () => ({ body: cluster.tables.namespaces?.[0] });
  }
  for (const fn of ['create_role', 'update_role']) cluster.functions[fn] = () => ({ body: cluster.tables.roles?.[0] });
  for (const fn of [
    'update_pack',
    'withdraw_pack_version',
    'disable_user',
    'enable_user',
    'grant_role',
    'revoke_role',
  ]) {
    cluster.functions[fn] = () => ({ body: {} });
  }
  cluster.functions.update_cluster_config = () => ({ body: clusterConfigRow({ allow_node_registration: true }) });
  cluster.functions.explain_placement = () => ({ body: placement() });
  cluster.functions.list_users = () => ({
    body: [
      {
        ...{
          id: cluster.userId,
          email: cluster.email,
          display_name: null,
          roles: [{ role: 'admin', namespace: null }],
        },
        ...{ disabled_at: null, last_sign_in_at: null, created_at: '2026-01-01T00:00:00+00:00' },
      },
    ],
  });
  cluster.tables.join_tokens = [joinTokenRow('3f9a2c1d07')];
  cluster.functions.create_join_token = () => ({
    body: { id: 'x', token: 'stark_join_x_y', labels: {}, taints: [], max_uses: 1, expires_at: '2126-01-01T00:00:00Z' },
  });
  cluster.functions.revoke_join_token = ({ p_id }) => ({ body: joinTokenRow(p_id as string) });
  for (const fn of ['cordon_node', 'uncordon_node', 'update_node', 'delete_node']) {
    cluster.functions[fn] = () => ({ body: nodeRow('node-1') });
  }
  cluster.functions.drain_node = () => ({ body: [podRow('alpha-1')] });
  cluster.functions.create_pods = () => ({ body: [podRow('alpha-1')] });
  cluster.functions.delete_pods = () => ({ body: [podRow('alpha-1')] });
  cluster.functions.register_pack_version = () => ({
    body: { pack_id: 'p', version_id: 'v', bucket: 'packs', path: 'x.js' },
  });
  cluster.functions.finish_pack_version = () => ({ body: versionRow('alpha', '1.0.1') });
  writeFileSync(bundle, 'export default () => {};');
});
afterAll(() => cluster.stop());

const outputs: [schema: string, args: string[], input?: string][] = [
  ['pod-list', ['pod', 'list']],
  ['pod-list', ['pod', 'create', '--pack', 'alpha']],
  ['pod-list', ['pod', 'delete', 'alpha-1']],
  ['pod-status', ['pod', 'status', 'alpha-1', 'gone-1']],
  ['get', ['get', 'pods,nodes']],
  ['get', ['wait', 'pod/alpha-1']],
  ['get', ['delete', 'pod/alpha-1', 'node/node-1']],
  ['describe', ['describe', 'namespace/default']],
  ['events', ['events', '--for', 'pod/alpha-1']],
  ['api-resources', ['api-resources']],
  ['pod-list', ['pod', 'rollback', 'alpha-1']],
  ['top', ['top', 'nodes']],
  ['top', ['top', 'pods', '-A']],
  ['pod-list', ['debug', 'pod/alpha-1', '--no-wait']],
  ['node-list', ['label', 'node/node-1', 'a=b']],
  ['deployment-list', ['annotate', 'deployment/web', 'a=b']],
  ['pod-history', ['pod', 'history', 'alpha-1']],
  ['namespace-list', ['namespace', 'create', 'team-a', '--quota', 'pods=5']],
  ['namespace-list', ['namespace', 'update', 'team-a', '--max', 'cpu=2']],
  ['namespace-quota', ['namespace', 'quota']],
  ['pack-list', ['pack', 'update', 'alpha', '--visibility', 'public']],
  ['pack-versions', ['pack', 'withdraw', 'alpha@1.0.0']],
  ['auth-add-user', ['auth', 'add-user', '--email', 'bob@example.com', '--password-stdin'], 'a good password'],
  ['auth-list-users', ['user', 'disable', cluster.email]],
  ['auth-list-users', ['user', 'enable', cluster.email]],
  ['auth-list-users', ['role', 'grant', 'viewer', cluster.email]],
  ['auth-list-users', ['role', 'revoke', 'viewer', cluster.email, '--namespace', 'default']],
  ['role-list', ['role', 'create', 'restarter', '--permission', 'pods:update']],
  ['role-list', ['role', 'update', 'restarter', '--description', 'Restarts.']],
  ['server-config-show', ['server-config', 'show']],
  ['server-config-show', ['server-config', 'set', '--enable-registration']],
  ['apply', ['apply', '--filename', '-'], JSON.stringify({ kind: 'role', name: 'a', permissions: [] })],
  ['explain', ['explain', 'pod.spec']],
  ['init', ['init', join(temporaryFolder(), 'new')]],
  ['completion', ['completion', 'bash']],
  ['explain-placement', ['explain', 'placement', '--pack', 'alpha']],
  ['pod-logs', ['pod', 'logs', 'alpha-1']],
  ['deployment-list', ['deployment', 'list']],
  ['deployment-list', ['deployment', 'create', 'web', '--pack', 'alpha']],
  ['deployment-list', ['deployment', 'set', 'web', '--ver', '1.1.0']],
  ['deployment-list', ['deployment', 'scale', 'web', '--replicas', '5']],
  ['deployment-list', ['deployment', 'autoscale', 'web', '--max', '5', '--cpu', '70%']],
  ['deployment-list', ['deployment', 'pause', 'web']],
  ['deployment-list', ['deployment', 'resume', 'web']],
  ['deployment-list', ['deployment', 'delete', 'web', '--force']],
  ['deployment-status', ['deployment', 'status', 'web']],
  ['deployment-status', ['rollout', 'status', 'deployment/web']],
  ['rollout-history', ['rollout', 'history', 'web']],
  ['deployment-list', ['rollout', 'undo', 'web']],
  ['deployment-list', ['rollout', 'restart', 'web']],
  ['deployment-list', ['rollout', 'pause', 'web']],
  ['deployment-list', ['rollout', 'resume', 'web']],
  ['deployment-list', ['rollout', 'promote', 'web']],
  ['node-list', ['node', 'list']],
  ['describe', ['node', 'describe', 'node-1']],
  ['node-list', ['node', 'cordon', 'node-1']],
  ['node-list', ['node', 'uncordon', 'node-1']],
  ['node-list', ['node', 'update', 'node-1', '--label', 'a=b']],
  ['node-list', ['node', 'drain', 'node-1']],
  ['node-list', ['node', 'delete', 'node-1']],
  ['node-token-create', ['node', 'token', 'create']],
  ['node-token-list', ['node', 'token', 'list']],
  ['node-token-list', ['node', 'token', 'revoke', '3f9a2c1d07']],
  ['pack-list', ['pack', 'list']],
  ['pack-versions', ['pack', 'versions', 'alpha']],
  ['pack-register', ['pack', 'register', bundle, '--name', 'alpha', '--ver', '1.0.1', '--runtime', 'node']],
  ['pack-bundle', ['pack', 'bundle', bundle, '--out', `${bundle}.out.js`]],
  [
    'auth-login',
    ['auth', 'setup', '--email', cluster.email, '--password-stdin', '--secret-key-file', secretKey],
    cluster.password,
  ],
  ['auth-login', ['auth', 'login', '--email', cluster.email, '--password-stdin'], cluster.password],
  ['auth-whoami', ['auth', 'whoami']],
  ['auth-list-users', ['auth', 'list-users']],
  ['auth-can-i', ['auth', 'can-i', 'get', 'pods']],
  ['namespace-list', ['namespace', 'list', 'default']],
  ['priorityclass-list', ['priorityclass', 'list']],
  ['role-list', ['role', 'list']],
  ['context-list', ['context', 'list']],
  ['context-show', ['context', 'show']],
  ['context-use', ['context', 'use', 'fake']],
  ['context-use', ['context', 'set', 'other', '--url', 'http://other', '--key', 'k']],
  ['context-delete', ['context', 'delete', 'other', '--yes']],
  ['config-view', ['config', 'view']],
  ['version', ['version']],
  ['down', ['down', '--data-dir', '/nowhere']],
  ['auth-logout', ['auth', 'logout']],
];

/** Lists that came with a command of another name. */
const listSchemas: Record<string, string> = { user: 'auth-list-users', jointoken: 'node-token-list' };
const listSchemaOf = (kind: string) => listSchemas[kind] ?? `${kind}-list`;

describe('JSON output', () => {
  it.each(Object.values(KINDS))('of get $plural is what the list of $kind promises', async ({ kind, plural }) => {
    const { code, stdout, stderr } = await machine.run(['get', plural, '--output', 'json']);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).not.toEqual([]);
    expectToMatch(listSchemaOf(kind), JSON.parse(stdout));
  });

  for (const [schema, args, input] of outputs) {
    it(`of ${args.slice(0, 2).join(' ')} is ${schema}.json`, async () => {
      const { code, stdout, stderr } = await machine.run(
        [...args, '--output', 'json'],
        input === undefined ? {} : { input },
      );
      expect(code, stderr).toBe(0);
      expectToMatch(schema, JSON.parse(stdout));
    });
  }

  it('of a failure is error.json', async () => {
    for (const args of [
      ['pod', 'lst'],
      ['pod', 'list', '--nope'],
      ['status', '--data-dir', '/nowhere'],
      ['pack', 'bundle', '/nowhere'],
    ]) {
      const { stdout, stderr } = await machine.run([...args, '--output', 'json']);
      expect(stdout).toBe('');
      expectToMatch('error', JSON.parse(stderr));
    }
  });

  it('has a schema for every command, and none that belongs to nothing', async () => {
    const ids = Object.keys((await buildManifest(packageRoot)).commands).map((id) => id.replaceAll(':', '-'));
    const shared: Record<string, string> = {
      diff: 'apply',
      plan: 'apply',
      'pod-create': 'pod-list',
      'pod-delete': 'pod-list',
      'pod-rollback': 'pod-list',
      ...Object.fromEntries(
        ['create', 'set', 'scale', 'autoscale', 'pause', 'resume', 'delete'].map((verb) => [
          `deployment-${verb}`,
          'deployment-list',
        ]),
      ),
      ...Object.fromEntries(
        ['undo', 'restart', 'pause', 'resume', 'promote'].map((verb) => [`rollout-${verb}`, 'deployment-list']),
      ),
      'rollout-status': 'deployment-status',
      'namespace-create': 'namespace-list',
      'namespace-update': 'namespace-list',
      'pack-update': 'pack-list',
      'pack-withdraw': 'pack-versions',
      'user-disable': 'auth-list-users',
      'user-enable': 'auth-list-users',
      'role-grant': 'auth-list-users',
      'role-revoke': 'auth-list-users',
      'role-create': 'role-list',
      'role-update': 'role-list',
      'server-config-set': 'server-config-show',
      'auth-setup': 'auth-login',
      'context-set': 'context-use',
      'node-cordon': 'node-list',
      'node-delete': 'node-list',
      'node-describe': 'describe',
      'node-drain': 'node-list',
      annotate: 'get',
      'pod-debug': 'pod-list',
      delete: 'get',
      label: 'get',
      watch: 'pod-watch',
      wait: 'get',
      'node-uncordon': 'node-list',
      'node-update': 'node-list',
      'node-token-revoke': 'node-token-list',
      up: 'status',
    };
    for (const id of ids) expect(names, id).toContain(shared[id] ?? id);
    const lists = Object.keys(KINDS).map(listSchemaOf);
    for (const name of names) expect([...ids, ...lists, 'error', 'pod-watch', 'node-watch'], name).toContain(name);
  });
});
