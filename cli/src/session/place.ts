import { Contexts } from '../config/contexts.js';
import type { Settings } from '../config/settings.js';
import { SessionFile } from './sessions.js';

/**
 * Makes sure that the next command finds the cluster that was just signed in to: a place given by flags or variables
 * that no context knows becomes one, named after its host.
 */
export async function rememberPlace(settings: Settings): Promise<{ sessions: SessionFile; context: string }> {
  const contexts = new Contexts(settings.configDirectory);
  const known = await contexts.list();
  const chosen = settings.all.context.value;
  const existing = known.find(({ name, url }) => url === settings.url && (chosen === undefined || chosen === name));
  const name = existing?.name ?? known.find(({ url }) => url === settings.url)?.name ?? nameOf(settings.url);
  if (existing?.key !== settings.key && settings.key !== undefined) {
    await contexts.save(name, { ...(await contexts.find(name)), url: settings.url, key: settings.key });
  }
  if (settings.all.context.value !== name) await contexts.use(name);
  return { sessions: new SessionFile(settings.configDirectory, name, settings.url), context: name };
}

function nameOf(url: string): string {
  const { hostname, port } = new URL(url);
  if (hostname === '127.0.0.1' || hostname === 'localhost') return port === '54321' ? 'local' : `local-${port}`;
  return hostname.replace(/\.supabase\.co$/, '').replace(/[^a-z0-9._-]/gi, '-');
}
