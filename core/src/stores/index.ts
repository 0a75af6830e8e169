export { type Change, ClusterStore, type Documents, type Snapshot } from './cluster-store.js';
export { LogFollower, type LogFollowerOptions } from './log-follower.js';
export type { LogLine } from './messages.js';
export { ObjectTable, type Versioned } from './object-table.js';
export { type EventBatch, type EventSink, type EventSource, TopicFeed } from './topic-feed.js';
export type { ClusterRows, ClusterViews } from './views.js';
export { type Watch, type WatchOptions, type WatchState, watchCluster, watchNamespace } from './watch.js';
