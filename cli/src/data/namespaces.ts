import { type LimitRange, parseLabels, type Quota } from '@stark-o/core/model';
import { repeated } from '../base/flags.js';
import { parseAmounts } from './amounts.js';

/** What a namespace can be given, as flags. */
export const namespaceSpecFlags = {
  label: repeated({ char: 'l', summary: 'Label of the namespace; may be repeated.', helpValue: '<key=value>' }),
  quota: repeated({
    summary: 'Most that its live pods may ask for together; may be repeated.',
    helpValue: '<pods|cpu|memory|storage|deployments=amount>',
  }),
  default: repeated({ summary: 'What a pod asks for that does not say; may be repeated.', helpValue: '<cpu=amount>' }),
  min: repeated({ summary: 'Least that a pod may ask for; may be repeated.', helpValue: '<cpu=amount>' }),
  max: repeated({ summary: 'Most that a pod may ask for; may be repeated.', helpValue: '<memory=amount>' }),
};

export interface NamespaceSpecFlagValues {
  label?: string[] | undefined;
  quota?: string[] | undefined;
  default?: string[] | undefined;
  min?: string[] | undefined;
  max?: string[] | undefined;
}

export const quotaNames = ['pods', 'cpu', 'memory', 'storage', 'deployments'];
const limitNames = ['cpu', 'memory', 'storage'];

/** Those flags as arguments of functions. */
export function namespaceSpecOf(flags: NamespaceSpecFlagValues): {
  p_labels: Record<string, string>;
  p_quota: Quota;
  p_limit_range: LimitRange;
} {
  const bounds = (['default', 'min', 'max'] as const).flatMap((bound) => {
    const pairs = flags[bound];
    return pairs === undefined ? [] : [[bound, parseAmounts(`--${bound}`, pairs, limitNames)] as const];
  });
  return {
    p_labels: parseLabels(flags.label ?? []),
    p_quota: parseAmounts('--quota', flags.quota ?? [], quotaNames),
    p_limit_range: Object.fromEntries(bounds),
  };
}
