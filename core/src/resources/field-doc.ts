/** What a field of a kind of thing is, and those inside of it. */
export interface FieldDoc {
  readonly name: string;
  /** `string`, `integer`, `time`, `object`; a list of them is `[]string`, an object of any keys `map[string]string`. */
  readonly type: string;
  readonly description: string;
  /** A manifest has to have it. */
  readonly required?: true;
  /** The only values that it may have. */
  readonly values?: readonly string[];
  /** Between which numbers it may be. */
  readonly range?: string;
  /** It is shown of a thing, and not said of it. */
  readonly shown?: true;
  readonly fields?: readonly FieldDoc[];
}
