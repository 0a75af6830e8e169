/** The JSON Schema of a project. */
export declare const schemaFile: string;

/** Its text as the checks of core say it. */
export declare function projectJsonSchema(): Promise<string>;
