// What stark.config.ts imports: a function that gives back what it is given, and its types.

import type { ProjectConfig } from './manifests/project.js';

export type { ObjectInput, ObjectKind } from './manifests/objects.js';
export type { ProjectConfig } from './manifests/project.js';

/** The identity, for its type: `export default defineConfig({ … })`. */
export function defineConfig(config: ProjectConfig): ProjectConfig {
  return config;
}
