import { supabase } from '../../scripts/db/supabase-cli.mjs';

/** The commands of the official CLI and their flags, as it completes them in a shell. */
export class SupabaseSurface {
  readonly #flags = new Map<string, Set<string>>();

  static async read(): Promise<SupabaseSurface> {
    const surface = new SupabaseSurface();
    for (const line of (await supabase(['--completions', 'fish'])).split('\n')) {
      const path = [...line.matchAll(/(not )?__fish_seen_subcommand_from ([\w-]+)(?=[;'])/g)].flatMap(
        ([, not, name]) => (not ? [] : name),
      );
      const command = path.join(' ');
      const flags = surface.#flags.get(command) ?? new Set();
      surface.#flags.set(command, flags);
      const [, below] = /-f -a '([a-z][\w-]*)'/.exec(line) ?? [];
      if (below !== undefined && !surface.#flags.has(`${command} ${below}`.trim())) {
        surface.#flags.set(`${command} ${below}`.trim(), new Set());
      }
      const [, flag] = / -l ([\w-]+)/.exec(line) ?? [];
      if (flag !== undefined) flags.add(flag);
    }
    return surface;
  }

  /** What is wrong with the words behind `supabase`. */
  problemOf(words: readonly string[]): string | undefined {
    const names = words.filter((word) => /^[a-z][\w-]*$/.test(word));
    const command = [2, 1].map((count) => names.slice(0, count).join(' ')).find((name) => this.#flags.has(name));
    const isGroup = [...this.#flags.keys()].some((name) => name.startsWith(`${command} `));
    if (command === undefined || isGroup) return `there is no "supabase ${words.join(' ')}"`;
    const known = new Set([...(this.#flags.get(command) ?? []), ...(this.#flags.get('') ?? [])]);
    const unknown = words.flatMap((word) => /^--([\w-]+)/.exec(word)?.[1] ?? []).find((flag) => !known.has(flag));
    return unknown === undefined ? undefined : `"supabase ${command}" has no --${unknown}`;
  }
}
