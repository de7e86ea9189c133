// Vue, with `convex-vue`, whose client is told who the user is by hand.
import {
  convexVue,
  useConvexClient,
  useConvexMutation,
  useConvexQuery,
} from "convex-vue";
import { createApp, h, ref } from "vue";
import { fetchAccessToken, offer, root, shown, url, users } from "./app.js";

const App = {
  setup() {
    const isAuthenticated = ref(false);
    const client = useConvexClient();
    client.setAuth(fetchAccessToken, (is) => (isAuthenticated.value = is));
    const { data: me } = useConvexQuery(users.me, {});
    const { data: mine } = useConvexQuery(users.mine, {});
    const { mutate } = useConvexMutation(users.add);
    offer({
      add: (text) => mutate({ text }),
      signOut: () => {
        isAuthenticated.value = false;
        client.client.clearAuth();
      },
    });
    return () => [
      h(
        "p",
        { id: "auth" },
        isAuthenticated.value ? "signed in" : "signed out",
      ),
      h("p", { id: "me" }, shown(me.value)),
      h(
        "ul",
        mine.value?.map((text) => h("li", { key: text }, text)),
      ),
    ];
  },
};

createApp(App).use(convexVue, { url }).mount(root);
