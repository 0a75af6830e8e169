/** Has no function to call. */
export const helper = () => {};
