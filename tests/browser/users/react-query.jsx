// React, with TanStack Query over `@convex-dev/react-query`.
import {
  ConvexQueryClient,
  convexQuery,
  useConvexMutation,
} from "@convex-dev/react-query";
import {
  QueryClient,
  QueryClientProvider,
  useMutation,
  useQuery,
} from "@tanstack/react-query";
import {
  ConvexProviderWithAuth,
  ConvexReactClient,
  useConvexAuth,
} from "convex/react";
import { useState } from "react";
import { createRoot } from "react-dom/client";
import { fetchAccessToken, offer, root, shown, url, users } from "./app.js";

const convex = new ConvexReactClient(url);
const convexQueries = new ConvexQueryClient(convex);
const queries = new QueryClient({
  defaultOptions: {
    queries: {
      queryKeyHashFn: convexQueries.hashFn(),
      queryFn: convexQueries.queryFn(),
    },
  },
});
convexQueries.connect(queries);
let useAuth;

function App() {
  const [isAuthenticated, setAuthenticated] = useState(true);
  useAuth = () => ({ isLoading: false, isAuthenticated, fetchAccessToken });
  return (
    <ConvexProviderWithAuth client={convex} useAuth={() => useAuth()}>
      <QueryClientProvider client={queries}>
        <User signOut={() => setAuthenticated(false)} />
      </QueryClientProvider>
    </ConvexProviderWithAuth>
  );
}

function User({ signOut }) {
  const { isAuthenticated } = useConvexAuth();
  const { data: me } = useQuery(convexQuery(users.me, {}));
  const { data: mine } = useQuery(convexQuery(users.mine, {}));
  const add = useMutation({ mutationFn: useConvexMutation(users.add) });
  offer({ add: (text) => add.mutateAsync({ text }), signOut });
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
