import { Password } from "@convex-dev/auth/providers/Password";
import { convexAuth } from "@convex-dev/auth/server";

export const { auth, signIn, signOut, store, isAuthenticated } = convexAuth({
  providers: [
    Password,
    {
      id: "local",
      name: "Local",
      type: "oidc",
      issuer: process.env.AUTH_LOCAL_ISSUER,
      clientId: "weir",
      clientSecret: "a secret",
    },
  ],
  // So short that a test sees a token refreshed.
  jwt: { durationMs: 15_000 },
});
