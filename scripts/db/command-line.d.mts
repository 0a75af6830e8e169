/** The first line in which two texts differ, told as one line; undefined when they are equal. */
export declare function firstDifference(wanted: string, found: string): string | undefined;
