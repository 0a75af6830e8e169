import { withSession } from './postgres/session.js';

/**
 * Puts into Vault what SQL needs to call an Edge Function: `project_url` and `secret_key`. On a hosted project the owner
 * stores the same two secrets once. Existing ones are updated, since the port may differ from start to start.
 */
export async function shareWithDatabase(databaseUrl: string, projectUrl: string, secretKey: string): Promise<void> {
  const secrets = { project_url: projectUrl, secret_key: secretKey };
  await withSession(databaseUrl, async (session) => {
    for (const [name, secret] of Object.entries(secrets)) {
      const { rows } = await session.query<{ id: string; decrypted_secret: string }>(
        'select id, decrypted_secret from vault.decrypted_secrets where name = $1',
        [name],
      );
      const [known] = rows;
      if (known === undefined) await session.query('select vault.create_secret($1, $2)', [secret, name]);
      else if (known.decrypted_secret !== secret) {
        await session.query('select vault.update_secret($1, $2)', [known.id, secret]);
      }
    }
  });
}
