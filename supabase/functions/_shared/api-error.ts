/** An answer that is an error: what the caller sees is exactly this. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string | null = null,
    readonly details: unknown = null,
  ) {
    super(message);
  }
}

/** Something the caller sent is wrong; `field` names it. */
export function invalid(field: string, message: string): ApiError {
  return new ApiError(400, 'INVALID_INPUT', `${field} ${message}`, null, { field });
}

interface ServiceError {
  message: string;
  code?: string | undefined;
  hint?: string | null;
  details?: unknown;
  status?: number | undefined;
}

/** Passes on what a service of the platform said to the secret key: Stark's SQL functions already speak in codes, hints and details. */
export function fromService(error: ServiceError, status: number | undefined = error.status): ApiError {
  // Refusing our secret key is a fault of this deployment, not of the caller's sign-in; Stark's own refusals are for the caller.
  if ((status === 401 || status === 403) && !isStarkCode(error.code)) {
    return new ApiError(500, 'BAD_SECRET_KEY', `the platform refused the function's secret key: ${error.message}`);
  }
  return fromCaller(error, status);
}

/** Passes on what a service said to a request that went out with the caller's own key and token. */
export function fromCaller(error: ServiceError, status: number | undefined = error.status): ApiError {
  if (status === undefined || status === 0) {
    return new ApiError(503, 'UNREACHABLE', `the platform did not answer: ${error.message}`);
  }
  if (status >= 500 && !error.code) {
    // auth-js shows `{}` where it could not make a text of what it got.
    const reason = error.message && error.message !== '{}' ? error.message : `status ${status}, no reason given`;
    return new ApiError(status, 'PLATFORM_FAILED', `the platform failed: ${reason}`);
  }
  const code = error.code ? error.code.toUpperCase() : `HTTP_${status}`;
  return new ApiError(status, code, error.message, error.hint || null, error.details || null);
}

// PostgREST's codes are PGRST and a number, Postgres' are five digits or letters, Auth's are in lower case.
function isStarkCode(code: string | undefined): boolean {
  return code !== undefined && /^[A-Z]+_[A-Z_]+$/.test(code);
}
