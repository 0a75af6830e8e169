/** The services behind the gateway. */
export type Service = 'auth' | 'rest' | 'storage' | 'realtime' | 'functions';

export interface Route {
  service: Service;
  /** What follows the prefix, with its leading slash. */
  rest: string;
}

const prefixes: [prefix: string, service: Service][] = [
  ['/auth/v1', 'auth'],
  ['/rest/v1', 'rest'],
  ['/storage/v1', 'storage'],
  ['/realtime/v1', 'realtime'],
  ['/functions/v1', 'functions'],
];

/** Finds the service of a path. */
export function routeOf(pathname: string): Route | undefined {
  for (const [prefix, service] of prefixes) {
    if (pathname === prefix) return { service, rest: '/' };
    if (pathname.startsWith(`${prefix}/`)) return { service, rest: pathname.slice(prefix.length) };
  }
  return undefined;
}

/** Parts of Auth that browsers and identity providers visit without a key. */
const keyless = /^\/(callback|authorize|verify|\.well-known\/.*|sso\/saml\/.*)$/;

/** Whether the hosted gateway asks for an API key before it lets a request through. */
export function needsKey({ service, rest }: Route): boolean {
  return service === 'rest' || (service === 'auth' && !keyless.test(rest));
}

/** The function's name and the path it sees: hosted functions see their own name as the first segment. */
export function functionOf(rest: string): { name: string; path: string } {
  const [, name = ''] = /^\/([^/]*)/.exec(rest) ?? [];
  return { name, path: rest };
}
