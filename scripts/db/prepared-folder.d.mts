/** Makes `folder` a copy of one that `make` has filled once for all test files of a run of `npm test`; false elsewhere. */
export declare function copyPrepared(
  name: string,
  folder: string,
  make: (folder: string) => Promise<void>,
): Promise<boolean>;
