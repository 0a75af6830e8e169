import type { Database } from './database.js';

type Listed = Database['stark']['Functions']['list_users']['Returns'][number];

/** A user, as `list_users` shows one. */
export type User = Readonly<
  Omit<Listed, 'email' | 'display_name' | 'disabled_at' | 'last_sign_in_at' | 'roles'> & {
    email: string | null;
    display_name: string | null;
    disabled_at: string | null;
    last_sign_in_at: string | null;
    roles: readonly { role: string; namespace: string | null }[];
  }
>;
