import postgres from 'postgres';

/**
 * Puts into Vault what SQL needs to call an Edge Function: `project_url` and `secret_key`. On a hosted project the owner
 * stores the same two secrets once. Existing ones are updated, since the port may differ from start to start.
 */
export async function shareWithDatabase(databaseUrl: string, projectUrl: string, secretKey: string): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    for (const [name, secret] of [
      ['project_url', projectUrl],
      ['secret_key', secretKey],
    ] as const) {
      const [known] = await sql`select id, decrypted_secret from vault.decrypted_secrets where name = ${name}`;
      if (known === undefined) await sql`select vault.create_secret(${secret}, ${name})`;
      else if (known.decrypted_secret !== secret) await sql`select vault.update_secret(${known.id}, ${secret})`;
    }
  } finally {
    await sql.end();
  }
}
