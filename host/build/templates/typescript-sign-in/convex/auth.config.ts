// Who vouches for users: this host, with the tokens that `auth.ts` signs.
import type { AuthConfig } from "convex/server";

export default {
  providers: [{ domain: process.env.CONVEX_CLOUD_URL!, applicationID: "notes" }],
} satisfies AuthConfig;
