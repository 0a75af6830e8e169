/** What a kind of thing is called, and where it is read. Kept apart from what is shown of it: a command line needs all names at once. */
export interface KindNames {
  /** Singular, as in `pod/alpha`. */
  readonly kind: string;
  readonly plural: string;
  /** Short names, as kubectl taught them, and other spellings. */
  readonly aliases: readonly string[];
  /** What it is, in a line. */
  readonly summary: string;
  /** Whether each belongs to one namespace. */
  readonly namespaced: boolean;
  /** What it is called where rights are asked for: `pods` in `pods:delete`. */
  readonly rights: string;
}

/** Every kind of thing that commands and other surfaces list, once. */
export const KINDS = {
  pod: {
    kind: 'pod',
    plural: 'pods',
    aliases: ['po'],
    summary: 'One run of a version of a pack on one node.',
    namespaced: true,
    rights: 'pods',
  },
  deployment: {
    kind: 'deployment',
    plural: 'deployments',
    aliases: ['deploy'],
    summary: 'Wanted pods of one pack, that heal, roll and roll back.',
    namespaced: true,
    rights: 'deployments',
  },
  autoscaler: {
    kind: 'autoscaler',
    plural: 'autoscalers',
    aliases: ['hpa'],
    summary: 'How the pods of a deployment follow its metrics, and what was seen of these last.',
    namespaced: true,
    rights: 'deployments',
  },
  node: {
    kind: 'node',
    plural: 'nodes',
    aliases: ['no'],
    summary: 'A machine or a browser tab that runs pods.',
    namespaced: false,
    rights: 'nodes',
  },
  pack: {
    kind: 'pack',
    plural: 'packs',
    aliases: [],
    summary: 'A named piece of software with its versions.',
    namespaced: false,
    rights: 'packs',
  },
  namespace: {
    kind: 'namespace',
    plural: 'namespaces',
    aliases: ['ns'],
    summary: 'A boundary with a quota and limits of its own.',
    namespaced: false,
    rights: 'namespaces',
  },
  priorityclass: {
    kind: 'priorityclass',
    plural: 'priorityclasses',
    aliases: ['pc'],
    summary: 'A named priority of pods.',
    namespaced: false,
    rights: 'priorityclasses',
  },
  user: {
    kind: 'user',
    plural: 'users',
    aliases: [],
    summary: 'Somebody who may sign in.',
    namespaced: false,
    rights: 'users',
  },
  role: {
    kind: 'role',
    plural: 'roles',
    aliases: [],
    summary: 'A named set of rights.',
    namespaced: false,
    rights: 'roles',
  },
  rolebinding: {
    kind: 'rolebinding',
    plural: 'rolebindings',
    aliases: ['rb'],
    summary: 'A role that a user has, in one namespace or everywhere.',
    namespaced: false,
    rights: 'roles',
  },
  jointoken: {
    kind: 'jointoken',
    plural: 'jointokens',
    aliases: ['jt'],
    summary: 'A token by which machines join as nodes.',
    namespaced: false,
    rights: 'nodes',
  },
  clusterconfig: {
    kind: 'clusterconfig',
    plural: 'clusterconfigs',
    aliases: ['cc'],
    summary: 'The settings of the cluster as a whole.',
    namespaced: false,
    rights: 'settings',
  },
} as const satisfies Readonly<Record<string, KindNames>>;

/** The singular name of a kind. */
export type Kind = keyof typeof KINDS;

const kindOf = new Map<string, Kind>(
  Object.values(KINDS).flatMap(({ kind, plural, aliases }) => [kind, plural, ...aliases].map((name) => [name, kind])),
);

/** The kind that a word names, in singular, plural or short. */
export function kindNamed(word: string): Kind | undefined {
  return kindOf.get(word.toLowerCase());
}
