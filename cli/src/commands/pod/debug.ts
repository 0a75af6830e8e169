import * as Flags from '@oclif/core/flags';
import type { JsonObject, PodSpec } from '@stark-o/core/model';
import { type PodRow, pods } from '@stark-o/core/resources';
import { bareName } from '../../base/argv.js';
import { StarkCommand } from '../../base/command.js';
import { argument, namespaceFlag, waitFlags } from '../../base/flags.js';
import { warn } from '../../base/terminal.js';
import { waitTime } from '../../base/wait.js';
import { podSpecFlags, podSpecOf } from '../../data/pod-spec.js';
import { waitForRunning } from '../../data/pod-wait.js';
import { findPods } from '../../data/pods.js';
import type { Connection } from '../../session/connection.js';

interface Given {
  env: Record<string, string> | null;
  config: JsonObject | null;
}

export default class PodDebug extends StarkCommand<typeof PodDebug> {
  static override summary = 'Run a copy of a pod with changes; the pod itself stays as it is.';
  static override description =
    'The copy has the pack, version, spec, env and config of the pod, and what flags say over them. It has none of its labels unless --keep-labels is given, so that nothing takes it for the pod, and it runs once: --restart Never. A fixed port becomes a random one, since the pod has it.';
  static override examples = [
    '<%= config.bin %> pod debug alpha-x1y2z --env DEBUG=* --copy-to alpha-debug',
    '<%= config.bin %> pod debug alpha-x1y2z --ver 1.2.0 --node laptop --wait=1m',
  ];
  static override args = { name: argument('Name of the pod.') };
  static override flags = {
    'copy-to': Flags.string({ summary: 'Name of the copy. Default: made up from the pod’s.', helpValue: '<name>' }),
    ver: Flags.string({ char: 'V', summary: 'Version. Default: that of the pod.', helpValue: '<version>' }),
    'keep-labels': Flags.boolean({ summary: 'With the labels of the pod.' }),
    ...namespaceFlag,
    ...podSpecFlags,
    ...waitFlags,
  };

  async run(): Promise<void> {
    const { flags } = this;
    const timeoutMs = waitTime(flags);
    const { namespace } = await this.settings();
    const connection = await this.connection();
    const said = await podSpecOf(flags);
    for (const pod of await findPods(connection, { namespace, names: [bareName('pod', this.args.name)] })) {
      const spec = copiedSpec(pod.spec, await givenTo(connection, pod), said);
      const request = {
        ...{ pack: pod.pack_name, version: flags.ver ?? pod.version, namespace, spec },
        name: flags['copy-to'] ?? `${pod.name.slice(0, 50)}-debug`,
        ...(flags['keep-labels'] && { labels: pod.labels }),
      };
      const created = await connection.call('create_pods', { p_pods: [request] });
      const shown = timeoutMs === undefined ? created : await waitForRunning(connection, created, timeoutMs);
      await this.printList(pods, shown);
      for (const { name } of created) this.next(`stark pod logs ${name} --follow`, `stark pod delete ${name}`);
    }
  }
}

/** What a pod was given; nothing of what the caller may not read. */
async function givenTo(connection: Connection, { id, name }: PodRow): Promise<Given> {
  const client = await connection.client();
  const [given] = await connection.rows<Given>(client.from('pod_env').select('env,config').eq('pod_id', id));
  if (given !== undefined) return given;
  const right = await connection.call('can_i', { p_verb: 'read-env', p_kind: 'pods' });
  if (!right) warn(`you may not read what pod ${name} was given as env and config: the copy has none of it`);
  return { env: null, config: null };
}

function copiedSpec(of: PodSpec, { env, config }: Given, said: PodSpec): PodSpec {
  const ports = said.ports ?? of.ports?.map(({ name }) => ({ name }));
  const everything = { ...env, ...said.env };
  return {
    ...{ ...of, restartPolicy: 'Never' as const },
    ...(config !== null && { config }),
    ...said,
    ...(Object.keys(everything).length > 0 && { env: everything }),
    ...(ports !== undefined && { ports }),
  };
}
