// The errors without the client: a command line that fails before it talks to anyone should not load supabase-js.
export { type ErrorEnvelope, StarkError, type StarkErrorOptions, usageError } from './client/errors.js';
export { EXIT_CODES, type ExitCode, exitCodeOf } from './client/exit-codes.js';
export { type ErrorSource, toStarkError } from './client/to-stark-error.js';
