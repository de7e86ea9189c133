// What the pages of all frameworks have in common.
import { anyApi } from "convex/server";

export const { users } = anyApi;

/** Where the host is. */
export const url =
  new URLSearchParams(location.search).get("host") ?? location.origin;

/** Asks the test for a token, as a page asks its provider of identities. */
export const fetchAccessToken = ({ forceRefreshToken }) =>
  window.fetchToken(forceRefreshToken);

/** What a page shows of a value that is on its way, or of nobody. */
export const shown = (me) => (me === undefined ? "loading" : (me ?? "nobody"));

/** What the test may do with a page. */
export function offer(actions) {
  window.actions = actions;
}

export const root = document.querySelector("main");
