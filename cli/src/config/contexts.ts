import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StarkError, usageError } from '@stark-o/core/errors';
import { nearest } from '../base/suggest.js';
import { readJsonFile, writePrivateJson } from './files.js';

/** A cluster that we can talk to: where it is, the publishable key, and the namespace we usually mean there. */
export interface Context {
  url: string;
  key: string;
  namespace?: string;
  /** Data directory, of a cluster that `stark up` runs on this machine. */
  dataDir?: string;
}

export interface NamedContext extends Context {
  name: string;
  current: boolean;
}

/** The contexts of one configuration directory: one private file each, and config.json that says which is current. */
export class Contexts {
  readonly #directory: string;

  constructor(configDirectory: string) {
    this.#directory = configDirectory;
  }

  path(name: string): string {
    if (!/^[a-z0-9][a-z0-9._-]{0,62}$/i.test(name)) {
      throw usageError(`"${name}" is no context name: letters, digits, dots, dashes and underscores`);
    }
    return join(this.#directory, 'contexts', `${name}.json`);
  }

  async current(): Promise<string | undefined> {
    const config = await readJsonFile(join(this.#directory, 'config.json'));
    const name = config?.currentContext;
    return typeof name === 'string' ? name : undefined;
  }

  async use(name: string): Promise<Context> {
    const context = await this.get(name);
    const path = join(this.#directory, 'config.json');
    await writePrivateJson(path, { ...(await readJsonFile(path)), currentContext: name });
    return context;
  }

  async find(name: string): Promise<Context | undefined> {
    const path = this.path(name);
    const found = await readJsonFile(path);
    if (found === undefined) return undefined;
    const { url, key, namespace, dataDir } = found;
    if (typeof url !== 'string' || typeof key !== 'string') {
      throw usageError(`${path} lacks url or key`, `stark context set ${name} --url <url> --key <key>`);
    }
    return {
      url,
      key,
      ...(typeof namespace === 'string' && { namespace }),
      ...(typeof dataDir === 'string' && { dataDir }),
    };
  }

  async get(name: string): Promise<Context> {
    const context = await this.find(name);
    if (context !== undefined) return context;
    const meant = nearest(name, await this.names());
    throw new StarkError(`no context named "${name}"${meant === undefined ? '' : `; did you mean "${meant}"?`}`, {
      code: 'CONTEXT_NOT_FOUND',
      status: 404,
      hint: 'stark context list',
    });
  }

  async save(name: string, context: Context): Promise<void> {
    await writePrivateJson(this.path(name), context);
  }

  async remove(name: string): Promise<void> {
    await this.get(name);
    await rm(this.path(name), { force: true });
    if ((await this.current()) !== name) return;
    const path = join(this.#directory, 'config.json');
    const { currentContext: _, ...rest } = (await readJsonFile(path)) ?? {};
    await writePrivateJson(path, rest);
  }

  async names(): Promise<string[]> {
    const files = await readdir(join(this.#directory, 'contexts')).catch(() => []);
    return files
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length))
      .sort();
  }

  async list(): Promise<NamedContext[]> {
    const current = await this.current();
    return Promise.all(
      (await this.names()).map(async (name) => ({ ...(await this.get(name)), name, current: name === current })),
    );
  }
}
