export { type CallOptions, call, type FunctionArgs, type FunctionName, type FunctionResult } from './client/call.js';
export { createStarkClient, type RealtimeOptions, type StarkClient, type StarkClientOptions } from './client/client.js';
export type { SocketClass } from './client/guarded-socket.js';
export { type Channel, ReconnectingChannel, type ReconnectingChannelOptions } from './client/reconnecting-channel.js';
export { EXIT_CODES, type ExitCode, exitCodeOf } from './errors/exit-codes.js';
export { type ErrorEnvelope, StarkError, type StarkErrorOptions, usageError } from './errors/stark-error.js';
export { type ErrorSource, toStarkError } from './errors/to-stark-error.js';
export { OBJECT_FIELDS, type ObjectInput, type ObjectKind } from './manifests/objects.js';
export { type BundleManifest, type PackManifest, toBundleManifest, toPackManifest } from './manifests/pack.js';
export { toPodRequest, toPodRequests } from './manifests/pod.js';
export type { ManifestProblem, PlacedProblem } from './manifests/problems.js';
export {
  PROJECT_LISTS,
  type ProjectConfig,
  projectSchema,
  readProjectDocument,
  type StatedDocument,
  type StatedObject,
} from './manifests/project.js';
export { type Database, STARK_SCHEMA } from './model/database.js';
export * from './model/index.js';
export * from './stores/index.js';
