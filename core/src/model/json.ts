/** Any value that survives JSON. */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;

/** A JSON object. A missing member and `undefined` mean the same, as in `JSON.stringify`. */
export type JsonObject = { [key: string]: JsonValue | undefined };
