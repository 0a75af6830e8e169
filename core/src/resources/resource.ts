import type { FunctionArgs, FunctionName, FunctionResult } from '../client/call.js';
import type { Database } from '../model/database.js';
import type { Labels } from '../model/labels.js';
import type { Kind, KindNames } from './kinds.js';

type Stark = Database['stark'];

/** Where rows are read: a table or view, or a function that answers like one. */
export type Source = { readonly table: keyof (Stark['Tables'] & Stark['Views']) } | { readonly fn: FunctionName };

/** A row of which nothing is known but that it has named values. */
export type AnyRow = Readonly<Record<string, unknown>>;

/** One column of a list: a heading and how to get its cell from a row. */
export interface Column<Row> {
  readonly header: string;
  value(row: Row): unknown;
  /** Shown only where there is room for everything. */
  readonly wide?: boolean;
  /** A sentence: it may have spaces, so nothing stands behind it. */
  readonly prose?: boolean;
}

/** Things that are shown with another: the pods of a node. */
export interface Related<Row> {
  readonly title: string;
  readonly kind: Kind;
  /** The column of those things that must have this value. */
  readonly column: string;
  value(row: Row): string;
}

/** What stands apart from a thing's row, since reading it is a right of its own. */
export interface Guarded {
  readonly table: keyof Stark['Tables'];
  /** The column of that table that names the thing. */
  readonly column: string;
  /** Its columns, and what each is called for people. */
  readonly fields: Readonly<Record<string, string>>;
  readonly verb: string;
  /** The column of the thing that says whose it is: a right to one's own may be enough. */
  readonly owner: string;
}

/** Something that one can wait for. */
export interface Condition<Row> {
  readonly name: string;
  holds(row: Row): boolean;
  /** That it does not hold, and will not stay so when it does: waiting for it ends. */
  fails?(row: Row): boolean;
}

/** Calls a function of schema `stark`. */
export type Caller = <F extends FunctionName>(fn: F, args: FunctionArgs<F>) => Promise<FunctionResult<F>>;

export interface ActionOptions {
  /** Also where it would be refused otherwise. */
  readonly force?: boolean;
}

/** Something that can be done to a thing: by whom, by which call, and what a person is asked before. */
export interface Action<Row> {
  readonly fn: FunctionName;
  /** The right that it takes, on things of others; owners may mostly do it to their own. */
  readonly right: `${string}:${string}`;
  /** Ask yes or no, or for the name of what is lost and does not come back; `never` where it is made again in a moment. */
  readonly confirm: 'never' | 'ask' | 'name';
  /** Whether `force` means something. */
  readonly forcible: boolean;
  /** What was done, as behind `pod/alpha`. */
  readonly done: string;
  run(call: Caller, row: Row, options: ActionOptions): Promise<unknown>;
}

/** What is set of labels or annotations, by key; null takes one away. */
export interface Relabelling {
  readonly labels?: Readonly<Record<string, string | null>>;
  readonly annotations?: Readonly<Record<string, string | null>>;
}

/** How labels or annotations of a thing are changed. */
export interface Relabel<Row> {
  readonly what: readonly ('label' | 'annotation')[];
  readonly fn: FunctionName;
  run(call: Caller, row: Row, changes: Relabelling): Promise<unknown>;
}

/** A kind of thing: what of it is read, how it is listed and described, what goes with it, and what can be done to it. */
export interface Resource<Row> extends KindNames {
  readonly kind: Kind;
  readonly source: Source;
  /** What is read, and what `-o json` promises. */
  readonly fields: readonly string[];
  /** The column by which people name it. */
  readonly nameColumn: string;
  readonly idColumn: string | undefined;
  readonly columns: readonly Column<Row>[];
  /** The code of the error that there is none of the name. */
  readonly notFound: string;
  /** What its events are called; nothing where it has none. */
  readonly eventKind: string | undefined;
  readonly related: readonly Related<Row>[];
  readonly guarded: Guarded | undefined;
  readonly conditions: readonly Condition<Row>[];
  readonly remove: Action<Row> | undefined;
  readonly relabel: Relabel<Row> | undefined;
  /** Those whose column reads like this are machinery: a list has them only when they are named, or everything is wanted. */
  readonly unlisted: { readonly column: string; readonly like: string } | undefined;
  /** After its `remove` it is still there, changed. */
  readonly stays: boolean;
  name(row: Row): string;
  /** What it is called in events, and where its name may mean another thing later. */
  id(row: Row): string;
  labels(row: Row): Labels;
  /** What `-o json` prints: every field, in order. */
  object(row: Row): Record<string, unknown>;
  /** Everything that is known about one, in lines of a heading and a value. */
  details(row: Row): readonly (readonly [string, unknown])[];
  /** What is in the way of all that one could wish for it, where it says so. */
  why(row: Row): string;
  /** That one has failed for good, so waiting for it ends, and with which code; nothing where none does. */
  readonly failure: { readonly code: string; holds(row: Row): boolean } | undefined;
}

type Defaults =
  | 'eventKind'
  | 'unlisted'
  | 'stays'
  | 'related'
  | 'guarded'
  | 'conditions'
  | 'remove'
  | 'relabel'
  | 'labels'
  | 'why'
  | 'failure';
type Derived = 'name' | 'id' | 'object' | 'fields' | 'nameColumn' | 'idColumn';
type Options<Row, Field extends string> = Omit<Resource<Row>, Defaults | Derived> &
  Partial<Pick<Resource<Row>, Defaults>> & {
    readonly fields: readonly Field[];
    readonly nameColumn: NoInfer<Field>;
    readonly idColumn?: NoInfer<Field>;
  };

/** Makes a kind of thing from the row type that its table has; its rows have only the fields that are read. */
export function defineResource<Full extends object>() {
  return <const Field extends keyof Full & string>(
    options: Options<Pick<Full, Field>, Field>,
  ): Resource<Pick<Full, Field>> => ({
    idColumn: undefined,
    eventKind: undefined,
    related: [],
    guarded: undefined,
    conditions: [],
    remove: undefined,
    relabel: undefined,
    unlisted: undefined,
    stays: false,
    labels: () => ({}),
    why: () => '',
    failure: undefined,
    ...options,
    name: (row) => String(row[options.nameColumn]),
    id: (row) => String(row[options.idColumn ?? options.nameColumn]),
    object: (row) => Object.fromEntries(options.fields.map((field) => [field, row[field] ?? null])),
  });
}

/** Makes an action of a function: the arguments are those that its name asks for. */
export function actionOf<Row, F extends FunctionName>(
  fn: F,
  action: Pick<Action<Row>, 'right' | 'confirm' | 'done'> & {
    forcible?: boolean;
    args: (row: Row, options: ActionOptions) => FunctionArgs<F>;
  },
): Action<Row> {
  const { args, forcible = false, ...rest } = action;
  return { ...rest, fn, forcible, run: (call, row, options) => call(fn, args(row, options)) };
}

/** Makes a change of labels or annotations of a function. */
export function relabelOf<Row, F extends FunctionName>(
  fn: F,
  what: Relabel<Row>['what'],
  args: (row: Row, changes: Relabelling) => FunctionArgs<F>,
): Relabel<Row> {
  return { fn, what, run: (call, row, changes) => call(fn, args(row, changes)) };
}
