const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const NPM_NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;
// The expression of semver.org.
const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$/;

/** Why a text cannot name a pod or namespace, or undefined when it can. */
export function dnsLabelProblem(name: string): string | undefined {
  if (DNS_LABEL.test(name)) return undefined;
  return 'it must be 1 to 63 lower-case letters, digits or "-", beginning and ending with a letter or digit';
}

/** Why a text cannot name a node, or undefined when it can: DNS labels joined by dots. */
export function dnsNameProblem(name: string): string | undefined {
  if (name.length <= 253 && name.split('.').every((label) => DNS_LABEL.test(label))) return undefined;
  return 'it must be a DNS name: lower-case letters, digits, "-" and ".", at most 253 characters';
}

/** Why a text cannot name a pack, or undefined when it can: the rules of npm package names. */
export function packNameProblem(name: string): string | undefined {
  if (name.length <= 214 && NPM_NAME.test(name)) return undefined;
  return 'it must be an npm package name: lower-case letters, digits, "-", "_" and ".", optionally @scope/, at most 214 characters';
}

/** Why a text is not a version, or undefined when it is one. */
export function versionProblem(version: string): string | undefined {
  if (version.length <= 128 && SEMVER.test(version)) return undefined;
  return 'it must be a semantic version such as 1.2.3 or 1.2.3-beta.1, at most 128 characters';
}
