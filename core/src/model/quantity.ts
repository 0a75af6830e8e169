import { usageError } from '../errors/stark-error.js';

const MIB = 1024 * 1024;

const BYTES: Readonly<Record<string, number>> = {
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 1024,
  Mi: MIB,
  Gi: 1024 * MIB,
  Ti: 1024 * 1024 * MIB,
};

/**
 * Reads an amount of processor time: cores (`2`, `0.5`) or thousandths (`500m`); gives millicores.
 * A bare whole number of 100 or more is millicores as well, since `--cpu 500` never means five hundred processors.
 */
export function parseCpu(value: string | number): number {
  const text = String(value).trim();
  const match = /^(\d+(?:\.\d+)?)(m?)$/.exec(text);
  if (!match) throw usageError(`"${value}" is not an amount of cpu`, 'write it as cores (0.5, 2) or millicores (500m)');
  const amount = Number(match[1]);
  const isMillicores = match[2] === 'm' || (amount >= 100 && Number.isInteger(amount));
  const millicores = isMillicores ? amount : amount * 1000;
  // 0.1 * 1000 and the like are whole up to rounding; what is finer than a millicore is rounded up, so nothing is free.
  return Math.ceil(Number(millicores.toFixed(6)));
}

/** Reads an amount of memory: a plain number is MB (of 1024 × 1024 bytes), else `256Mi`, `1Gi`, `512M` …; gives MB. */
export function parseMemory(value: string | number): number {
  const text = String(value).trim();
  const match = /^(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti|k|M|G|T|MB|GB)?$/.exec(text);
  if (!match)
    throw usageError(`"${value}" is not an amount of memory`, 'write it as MB (256) or with a unit (256Mi, 1Gi)');
  const [, amount, unit] = match;
  if (unit === undefined || unit === 'MB') return Math.ceil(Number(amount));
  if (unit === 'GB') return Math.ceil(Number(amount) * 1024);
  return Math.ceil(Number(((Number(amount) * (BYTES[unit] as number)) / MIB).toFixed(6)));
}

/** Millicores as a person writes them: `500m`, `2`. */
export function formatCpu(millicores: number): string {
  return millicores % 1000 === 0 ? String(millicores / 1000) : `${millicores}m`;
}

/** MB as a person writes them: `256Mi`, `2Gi`. */
export function formatMemory(megabytes: number): string {
  return megabytes >= 1024 && megabytes % 1024 === 0 ? `${megabytes / 1024}Gi` : `${megabytes}Mi`;
}
