// React, with the package `@convex-dev/auth`.
import {
  ConvexAuthProvider,
  useAuthActions,
  useAuthToken,
} from "@convex-dev/auth/react";
import {
  ConvexReactClient,
  useConvexAuth,
  useMutation,
  useQuery,
} from "convex/react";
import { anyApi } from "convex/server";
import { createRoot } from "react-dom/client";
import { offer, root, shown, url } from "./app.js";

const { notes } = anyApi;

function User() {
  const { isAuthenticated, isLoading } = useConvexAuth();
  const { signIn, signOut } = useAuthActions();
  const token = useAuthToken();
  const me = useQuery(notes.me, {});
  const mine = useQuery(notes.mine, {});
  const add = useMutation(notes.add);
  offer({ add: (text) => add({ text }), signIn, signOut, token });
  const state = isAuthenticated ? "signed in" : "signed out";
  return (
    <>
      <p id="auth">{isLoading ? "loading" : state}</p>
      <p id="me">{shown(me)}</p>
      <ul>
        {mine?.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </>
  );
}

createRoot(root).render(
  <ConvexAuthProvider client={new ConvexReactClient(url)}>
    <User />
  </ConvexAuthProvider>,
);
