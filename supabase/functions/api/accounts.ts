import { ApiError, fromService, invalid } from '../_shared/api-error.ts';
import type { Client } from '../_shared/environment.ts';

/** What a person signs in with. */
export interface Account {
  email: string;
  password: string;
  displayName: string | null;
}

/** The account that a request's body describes. */
export function readAccount(body: Record<string, unknown>): Account {
  const { email, password, display_name: displayName = null } = body;
  if (typeof email !== 'string') throw invalid('email', 'is required');
  if (!/^[^\s@]+@[^\s@]+$/.test(email.trim()) || email.length > 254) throw invalid('email', 'is not an e-mail address');
  if (typeof password !== 'string') throw invalid('password', 'is required');
  if (password.length < 8) throw invalid('password', 'must have at least 8 characters');
  // bcrypt reads no more than 72 bytes: what lies behind them would not protect anything.
  if (new TextEncoder().encode(password).length > 72) throw invalid('password', 'must have at most 72 bytes');
  if (displayName !== null && (typeof displayName !== 'string' || displayName.length > 100)) {
    throw invalid('display_name', 'must be a text of at most 100 characters');
  }
  return { email: email.trim().toLowerCase(), password, displayName: displayName?.trim() || null };
}

/** Makes a confirmed user in Supabase Auth, under this id when one is given; answers the id. Raises EMAIL_TAKEN. */
export async function createUser(client: Client, account: Account, id?: string): Promise<string> {
  const { email, password, displayName } = account;
  const { data, error } = await client.auth.admin.createUser({
    ...(id !== undefined && { id }),
    email,
    password,
    email_confirm: true,
    ...(displayName !== null && { user_metadata: { display_name: displayName } }),
  });
  if (!error) return data.user.id;
  if (error.code === 'email_exists' || error.code === 'user_already_exists') throw emailTaken(email);
  throw fromService(error);
}

/** Removes a user whom nothing could be done for; a failure of it is written to the log only. */
export async function removeUser(client: Client, userId: string, correlationId: string): Promise<void> {
  const { error } = await client.auth.admin.deleteUser(userId);
  if (!error || error.status === 404) return;
  const message = `user ${userId} was made for a request that was refused, and could not be removed: ${error.message}`;
  console.error(JSON.stringify({ level: 'error', message, correlation_id: correlationId }));
}

function emailTaken(email: string): ApiError {
  return new ApiError(409, 'EMAIL_TAKEN', `a user with the address ${email} already exists`, 'choose another address');
}
