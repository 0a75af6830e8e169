import { ApiError, fromService, invalid } from '../_shared/api-error.ts';
import { type SecretClient, secretClient } from '../_shared/environment.ts';
import { type Call, json, readObject } from '../_shared/http.ts';

interface Admin {
  email: string;
  password: string;
  displayName: string | null;
}

/** `GET /auth/setup`: whether the cluster still waits for its first admin. */
export async function getSetup({ correlationId }: Call): Promise<Response> {
  return json({ needed: await needsSetup(secretClient(correlationId)) });
}

/** `POST /auth/setup`: makes the first admin. Of two at once one wins; the other leaves no user behind. */
export async function postSetup({ request, correlationId }: Call): Promise<Response> {
  const admin = readAdmin(await readObject(request));
  const client = secretClient(correlationId);
  if (!(await needsSetup(client))) throw setupDone();
  const userId = await createUser(client, admin);
  const { error, status } = await client.rpc('setup_admin', {
    p_user_id: userId,
    p_display_name: admin.displayName,
  });
  if (error) {
    await removeUser(client, userId, correlationId);
    throw fromService(error, status);
  }
  return json({ user_id: userId, email: admin.email, display_name: admin.displayName }, 201);
}

function readAdmin(body: Record<string, unknown>): Admin {
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

async function needsSetup(client: SecretClient): Promise<boolean> {
  const { data, error, status } = await client.rpc('needs_setup');
  if (error) throw fromService(error, status);
  return data === true;
}

async function createUser(client: SecretClient, { email, password, displayName }: Admin): Promise<string> {
  const { data, error } = await client.auth.admin.createUser({
    email,
    password,
    email_confirm: true,
    ...(displayName !== null && { user_metadata: { display_name: displayName } }),
  });
  if (!error) return data.user.id;
  if (error.code === 'email_exists' || error.code === 'user_already_exists') throw await emailTaken(client, email);
  throw fromService(error);
}

// Somebody else may be setting up with the same address right now: then the honest answer is that the setup is done.
async function emailTaken(client: SecretClient, email: string): Promise<ApiError> {
  const deadline = Date.now() + 2000;
  while (Date.now() < deadline) {
    if (!(await needsSetup(client))) return setupDone();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return new ApiError(409, 'EMAIL_TAKEN', `a user with the address ${email} already exists`, 'choose another address');
}

async function removeUser(client: SecretClient, userId: string, correlationId: string): Promise<void> {
  const { error } = await client.auth.admin.deleteUser(userId);
  if (!error || error.status === 404) return;
  const message = `user ${userId} was made for a setup that was refused, and could not be removed: ${error.message}`;
  console.error(JSON.stringify({ level: 'error', message, correlation_id: correlationId }));
}

function setupDone(): ApiError {
  return new ApiError(409, 'SETUP_DONE', 'this cluster already has an admin', 'stark auth login');
}
