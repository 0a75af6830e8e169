/** The platform's own answers: those a function does not give itself. */
function refuse(status: number, code: string, message: string): Response {
  return Response.json({ code, message }, { status, headers: { 'sb-error-code': code } });
}

export const notFound = () => refuse(404, 'NOT_FOUND', 'Requested function was not found');

export const missingAuthorization = () => refuse(401, 'UNAUTHORIZED_NO_AUTH_HEADER', 'Missing authorization header');

export const invalidJwt = () => refuse(401, 'UNAUTHORIZED_INVALID_JWT_FORMAT', 'Invalid JWT');

export const bootError = () => refuse(503, 'BOOT_ERROR', 'Function failed to start (please check logs)');

export const workerError = () => refuse(500, 'WORKER_ERROR', 'Function exited due to an error (please check logs)');

export const workerLimit = () =>
  refuse(546, 'WORKER_LIMIT', 'Function failed due to not having enough compute resources (please check logs)');

export const idleTimeout = () =>
  refuse(504, 'IDLE_TIMEOUT', 'Function did not respond within the request timeout limit');
