import * as Flags from '@oclif/core/flags';
import { usageError } from '@stark-o/core/errors';
import {
  CALL_LIMITS,
  checkLabelKey,
  parseCpu,
  parseLabels,
  parseMemory,
  parseTaint,
  TAINT_EFFECTS,
} from '@stark-o/core/model';
import { StarkCommand } from '../../base/command.js';
import { acceptance, acceptFlags, names, repeated } from '../../base/flags.js';
import { changeNodes, type NodeCall } from '../../data/nodes.js';

export default class NodeUpdate extends StarkCommand<typeof NodeUpdate> {
  static override summary = 'Change labels, taints and amounts of nodes; it outlives what their agents say.';
  static override examples = [
    '<%= config.bin %> node update node-1 --label tier=backend --remove-label zone',
    '<%= config.bin %> node update node-1 --taint dedicated=gpu:NoSchedule --unschedulable',
  ];
  static override args = { node: names('node') };
  static override flags = {
    label: repeated({ char: 'l', summary: 'Label to set; may be repeated.', helpValue: '<key=value>' }),
    'remove-label': repeated({ summary: 'Label to remove; may be repeated.', helpValue: '<key>' }),
    taint: repeated({ summary: 'Taint to set; may be repeated.', helpValue: '<key=value:Effect>' }),
    'remove-taint': repeated({ summary: 'Taint to remove, with every effect; may be repeated.', helpValue: '<key>' }),
    cpu: Flags.string({ summary: 'CPU that pods may have: millicores, or 0.5, 2.' }),
    memory: Flags.string({ summary: 'Memory that pods may have: MB, or 512Mi, 4Gi.' }),
    pods: Flags.integer({ summary: 'How many pods at once.', min: 0, max: CALL_LIMITS.podsOfANode }),
    ...acceptFlags,
    unschedulable: Flags.boolean({ summary: 'Cordon.', exclusive: ['schedulable'] }),
    schedulable: Flags.boolean({ summary: 'Uncordon.' }),
  };

  async run(): Promise<void> {
    const { flags } = this;
    const gone = (flags['remove-label'] ?? []).map((key) => {
      checkLabelKey(key);
      return [key, null];
    });
    const args = {
      p_labels: { ...parseLabels(flags.label ?? []), ...Object.fromEntries(gone) },
      p_taints: [...(flags.taint ?? []).map(parseTaint), ...(flags['remove-taint'] ?? []).flatMap(withEveryEffect)],
      p_allocatable: {
        ...(flags.cpu === undefined ? {} : { cpu: parseCpu(flags.cpu) }),
        ...(flags.memory === undefined ? {} : { memory: parseMemory(flags.memory) }),
        ...(flags.pods === undefined ? {} : { pods: flags.pods }),
      },
      ...acceptance(flags),
    };
    const calls: NodeCall[] = [];
    const patches = Object.values(args).some((patch) => Object.keys(patch).length > 0);
    if (patches) calls.push((call, name) => call('update_node', { p_name: name, ...args }));
    if (flags.unschedulable) calls.push((call, name) => call('cordon_node', { p_name: name }));
    if (flags.schedulable) calls.push((call, name) => call('uncordon_node', { p_name: name }));
    if (calls.length === 0) throw usageError('say what to change', 'e.g. --label tier=backend');
    await changeNodes(await this.connection(), this.args.node, { calls, done: 'updated' }, await this.format());
  }
}

const withEveryEffect = (key: string) => TAINT_EFFECTS.map((effect) => ({ key, effect, remove: true }));
