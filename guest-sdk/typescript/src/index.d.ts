/**
 * The host's short name (`InvalidId`, `NotFound`, `ReadOnly`, ...) of an error
 * that it gave in this call; `undefined` for all other errors.
 */
export declare function errorCode(error: unknown): string | undefined;
