import type { Target } from './monitor.js';

/** `spec.config` of a beta pod. */
export interface Settings {
  title?: string;
  /** What to watch; without any, the service watches its own page. */
  targets?: (Target | string)[];
  everyMs?: number;
  timeoutMs?: number;
  history?: number;
}

/** The targets of the settings, each with a name; throws on what is no URL, naming it. */
export function readTargets(settings: Settings, ownUrl: string): Target[] {
  const given = settings.targets ?? [];
  if (given.length === 0) return [{ name: 'myself', url: ownUrl }];
  return given.map((entry, index) => {
    const url = typeof entry === 'string' ? entry : entry.url;
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    if (!parsed || !/^https?:$/.test(parsed.protocol)) {
      throw new Error(`config.targets[${index}]: ${JSON.stringify(url)} is not an http or https URL`);
    }
    return { name: typeof entry === 'string' ? parsed.host : entry.name, url: parsed.href };
  });
}
