/** What a pack gets where it reaches for what no pod has; the same code as the permission model of Node.js gives. */
export function refusal(what: string): Error {
  return Object.assign(new Error(`${what} is not available in a pod`), { code: 'ERR_ACCESS_DENIED' });
}
