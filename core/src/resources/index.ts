import { autoscalers } from './autoscaler.js';
import { clusterConfigs } from './cluster-config.js';
import { deployments } from './deployment.js';
import { joinTokens } from './join-token.js';
import type { Kind } from './kinds.js';
import { namespaces } from './namespace.js';
import { nodes } from './node.js';
import { packs } from './pack.js';
import { pods } from './pod.js';
import { priorityClasses } from './priority-class.js';
import type { AnyRow, Resource } from './resource.js';
import { roles } from './role.js';
import { roleBindings } from './role-binding.js';
import { users } from './user.js';

export { type AutoscalerRow, autoscalers } from './autoscaler.js';
export { ageOf, labelsCell, momentOf, sizeOf } from './cells.js';
export { type ClusterConfigRow, clusterConfigs } from './cluster-config.js';
export { type DeploymentRow, deployments } from './deployment.js';
export type { FieldDoc } from './field-doc.js';
export { type JoinTokenRow, joinTokenStatus, joinTokens } from './join-token.js';
export { KINDS, type Kind, type KindNames, kindNamed } from './kinds.js';
export { type NamespaceRow, namespaces } from './namespace.js';
export { isolationOf, type NodeRow, nodes } from './node.js';
export { type PackRow, packs } from './pack.js';
export { type PodRow, pods } from './pod.js';
export { specDetails } from './pod-details.js';
export { type PriorityClassRow, priorityClasses } from './priority-class.js';
export type {
  Action,
  ActionOptions,
  AnyRow,
  Caller,
  Column,
  Condition,
  Guarded,
  Relabel,
  Relabelling,
  Related,
  Resource,
  Source,
} from './resource.js';
export { type RoleRow, roles } from './role.js';
export { type RoleBindingRow, roleBindings } from './role-binding.js';
export { type UserRow, users } from './user.js';

/** Every kind of thing, by its singular name: what commands, the terminal's and the browser's pages are made from. */
export const RESOURCES: { readonly [K in Kind]: Resource<AnyRow> } = {
  pod: pods,
  deployment: deployments,
  autoscaler: autoscalers,
  node: nodes,
  pack: packs,
  namespace: namespaces,
  priorityclass: priorityClasses,
  user: users,
  role: roles,
  rolebinding: roleBindings,
  jointoken: joinTokens,
  clusterconfig: clusterConfigs,
};
