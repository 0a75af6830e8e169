import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folders of packages and of all they depend on, as a module in `folder` would find them. */
export function packageFolders(names: readonly string[], folder: string): string[] {
  const found = new Set<string>();
  const visit = (name: string, from: string): void => {
    const place = find(name, from);
    if (place === undefined || found.has(place)) return; // The import of a missing one reports it.
    found.add(place);
    const { dependencies = {} } = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')) as {
      dependencies?: Record<string, string>;
    };
    for (const dependency of Object.keys(dependencies)) visit(dependency, place);
  };
  for (const name of names) visit(name, folder);
  return [...found];
}

function find(name: string, from: string): string | undefined {
  const place = join(from, 'node_modules', name);
  if (existsSync(join(place, 'package.json'))) return place;
  return dirname(from) === from ? undefined : find(name, dirname(from));
}
