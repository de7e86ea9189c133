// React, with what npm `convex` has for it.
import {
  ConvexProviderWithAuth,
  ConvexReactClient,
  useConvexAuth,
  useMutation,
  useQuery,
} from "convex/react";
import { useState } from "react";
import { createRoot } from "react-dom/client";
import { fetchAccessToken, offer, root, shown, url, users } from "./app.js";

const client = new ConvexReactClient(url);
let useAuth;

function App() {
  const [isAuthenticated, setAuthenticated] = useState(true);
  useAuth = () => ({ isLoading: false, isAuthenticated, fetchAccessToken });
  return (
    <ConvexProviderWithAuth client={client} useAuth={() => useAuth()}>
      <User signOut={() => setAuthenticated(false)} />
    </ConvexProviderWithAuth>
  );
}

function User({ signOut }) {
  const { isAuthenticated } = useConvexAuth();
  const me = useQuery(users.me, {});
  const mine = useQuery(users.mine, {});
  const add = useMutation(users.add);
  offer({ add: (text) => add({ text }), signOut });
  return (
    <>
      <p id="auth">{isAuthenticated ? "signed in" : "signed out"}</p>
      <p id="me">{shown(me)}</p>
      <ul>
        {mine?.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </>
  );
}

createRoot(root).render(<App />);
