import { usageError } from '@stark-o/core/errors';
import { parseCpu, parseMemory } from '@stark-o/core/model';

const parsers: Readonly<Record<string, (text: string) => number>> = {
  cpu: parseCpu,
  memory: parseMemory,
  storage: parseMemory,
  pods: parseCount,
  deployments: parseCount,
};

/** Reads `cpu=4`, `memory=8Gi`, `pods=20` into the amounts that the cluster counts with. */
export function parseAmounts(flag: string, pairs: readonly string[], known: readonly string[]): Record<string, number> {
  const amounts: Record<string, number> = {};
  for (const pair of pairs) {
    const [name = '', value] = pair.split('=', 2);
    const parse = known.includes(name) ? parsers[name] : undefined;
    if (parse === undefined || value === undefined) {
      throw usageError(`${flag}: "${pair}" is no amount`, `write it as ${known.map((one) => `${one}=…`).join(', ')}`);
    }
    amounts[name] = parse(value);
  }
  return amounts;
}

function parseCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw usageError(`"${text}" is no whole number`, 'e.g. pods=20');
  return Number(text);
}
