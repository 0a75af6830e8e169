/** What plpgsql_check finds wrong in our functions, a line each; undefined where the server does not have it. */
export declare function checkFunctions(url: (role?: string) => string): Promise<string[] | undefined>;
