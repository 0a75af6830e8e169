import { createStarkClient } from '@stark-o/core';
import pg from 'pg';

const ADMIN = { email: 'bench@example.com', password: 'correct-horse-battery' };

/** The first admin of a fresh stack, and a session of the database's owner. */
export class BenchAdmin {
  credentials = ADMIN;
  client;
  database;

  static async setUp({ url, keys, dbUrl }) {
    const admin = new BenchAdmin();
    const answer = await fetch(`${url}/functions/v1/api/auth/setup`, {
      method: 'POST',
      headers: { apikey: keys.secret, 'content-type': 'application/json' },
      body: JSON.stringify({ ...ADMIN, display_name: 'Bench' }),
    });
    if (!answer.ok) throw new Error(`Setting up the admin: ${answer.status} ${await answer.text()}`);
    admin.client = createStarkClient({ url, key: keys.publishable, auth: { persistSession: false } });
    const { error } = await admin.client.auth.signInWithPassword(ADMIN);
    if (error) throw error;
    admin.database = new pg.Client({ connectionString: dbUrl });
    await admin.database.connect();
    return admin;
  }

  /** An access token that is good for an hour. */
  async token() {
    const { data, error } = await this.client.auth.refreshSession();
    if (error) throw error;
    return data.session.access_token;
  }

  async close() {
    await this.client.auth.stopAutoRefresh();
    await this.database.end();
  }
}
