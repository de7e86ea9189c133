import { ConvexError } from "convex/values";

/** What went wrong: `code` for programs, `message` for people. */
export type Problem = { code: string; message: string };

/** The error that tells a client of it. */
export const problem = (code: string, message: string) => new ConvexError<Problem>({ code, message });
