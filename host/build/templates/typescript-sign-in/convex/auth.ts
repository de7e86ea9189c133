// Accounts with e-mail and password: what the page calls.
//
// What is thrown undoes what its mutation has written. So an error that comes with something to keep, a wrong password
// that is counted or a session that is ended, is given back and not thrown.
import { hashPassword } from "@weir/typescript";
import { v } from "convex/values";

import { mutation, query } from "./_generated/server";
import { checkNewPassword, checkPassword, normalized, userOf } from "./passwords";
import { problem, type Problem } from "./problem";
import {
  beginSession,
  currentSession,
  currentUser,
  endOtherSessions,
  findSession,
  renewSession,
  type Tokens,
} from "./sessions";

type Answer = { tokens: Tokens } | { error: Problem };

const credentials = { email: v.string(), password: v.string() };

/** Makes an account, and signs in. */
export const signUp = mutation({
  args: credentials,
  handler: async (ctx, args): Promise<Answer> => {
    const email = normalized(args.email);
    checkNewPassword(args.password);
    if ((await userOf(ctx, email)) !== null) {
      throw problem("EmailTaken", "There is an account with this e-mail already.");
    }
    const passwordHash = await hashPassword(args.password);
    const user = await ctx.db.insert("users", { email, passwordHash });
    return { tokens: await beginSession(ctx, user) };
  },
});

/** Signs in. A wrong password and an e-mail that nobody has get the same answer, and take equally long. */
export const signIn = mutation({
  args: credentials,
  handler: async (ctx, args): Promise<Answer> => {
    const email = normalized(args.email);
    const user = await userOf(ctx, email);
    const error = await checkPassword(ctx, email, user?.passwordHash, args.password);
    if (error !== null) return { error };
    return { tokens: await beginSession(ctx, user!._id) };
  },
});

/** New tokens for a refresh token, which is good once. */
export const refresh = mutation({
  args: { refreshToken: v.string() },
  handler: async (ctx, { refreshToken }): Promise<Answer> => {
    const tokens = await renewSession(ctx, refreshToken);
    if (tokens !== null) return { tokens };
    return { error: { code: "SessionEnded", message: "You have been signed out. Sign in again." } };
  },
});

/** Ends the session of a refresh token. */
export const signOut = mutation({
  args: { refreshToken: v.string() },
  handler: async (ctx, { refreshToken }) => {
    const session = await findSession(ctx, refreshToken);
    if (session !== null) await ctx.db.delete(session._id);
  },
});

/** Sets another password, and ends all other sessions of the user. */
export const changePassword = mutation({
  args: { password: v.string(), newPassword: v.string() },
  handler: async (ctx, { password, newPassword }): Promise<{ error: Problem | null }> => {
    const session = await currentSession(ctx);
    const user = session && (await ctx.db.get(session.user));
    if (session === null || user === null) throw problem("NotSignedIn", "Sign in first.");
    checkNewPassword(newPassword);
    const error = await checkPassword(ctx, user.email, user.passwordHash, password);
    if (error !== null) return { error };
    await ctx.db.patch(user._id, { passwordHash: await hashPassword(newPassword) });
    await endOtherSessions(ctx, session);
    return { error: null };
  },
});

/** Who is signed in, or null. */
export const me = query({
  args: {},
  handler: async (ctx) => {
    const user = await currentUser(ctx);
    return user && { email: user.email };
  },
});
